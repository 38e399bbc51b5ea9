// What makes an idle worker look for jobs.

#include "support/worker_test.hpp"

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;

class WakeUp : public WorkerTest {};

TEST_F(WakeUp, listens_before_it_claims_and_is_woken_by_an_enqueue) {
    auto settings = quick_settings();
    settings.poll_interval = 1h;  // polling would not find it in time
    auto& running = start(no_op, settings);
    ASSERT_TRUE(running.log().await("listening"));
    ASSERT_TRUE(database.becomes("select signal_raised from millrace.queues", "t"));
    for (int i = 1; i <= 20; ++i) {
        database.enqueue("q", "k");
        ASSERT_TRUE(completes(i)) << "job " << i;
    }
}

// Its other connections go through a pooler perhaps. Here they use the socket.
TEST_F(WakeUp, listens_where_it_is_told_and_works_where_it_did) {
    auto settings = quick_settings();
    settings.poll_interval = 1h;
    settings.listen_url = database.admin_conninfo() + " host=127.0.0.1";
    start(no_op, settings);
    ASSERT_TRUE(database.becomes("select signal_raised from millrace.queues", "t"));
    EXPECT_EQ(database.value("select string_agg(application_name, ', ') from pg_stat_activity"
                             " where datname = current_database() and client_addr is not null"),
              "millrace listener");
    database.enqueue("q", "k");
    EXPECT_TRUE(completes(1));
}

TEST_F(WakeUp, finds_jobs_that_were_enqueued_while_its_listener_was_cut_off) {
    auto settings = quick_settings();
    settings.poll_interval = 1h;
    auto& running = start(no_op, settings);
    ASSERT_TRUE(running.log().await("listening"));
    EXPECT_EQ(database.terminate("millrace listener"), 1);
    database.enqueue("q", "k");
    EXPECT_TRUE(completes(1));
    EXPECT_TRUE(running.log().await("listening", 2));
}

// Its producer has looked at the flag before, and committed just after: it notifies nobody.
TEST_F(WakeUp, finds_a_job_of_a_producer_that_saw_the_flag_down) {
    auto settings = quick_settings();
    settings.poll_interval = 1h;
    start(no_op, settings);
    ASSERT_TRUE(database.becomes("select signal_raised from millrace.queues", "t"));
    database.enqueue("q", "k", "{}", "wake => false");
    EXPECT_TRUE(completes(1));
}

TEST_F(WakeUp, finds_a_job_that_came_just_before_it_raised_its_flag) {
    auto settings = quick_settings();
    settings.poll_interval = 1h;
    auto& running = start(no_op, settings);
    ASSERT_TRUE(running.log().await("listening"));
    ASSERT_TRUE(database.becomes("select signal_raised from millrace.queues", "t"));
    database.execute(
        "create function public.enqueue_late() returns trigger language plpgsql security definer as"
        " $$ begin perform millrace.enqueue('q', 'k', wake => false); return null; end $$");
    database.execute(
        "create trigger enqueue_late after update on millrace.queue_signal for each row"
        " when (new.raised) execute function public.enqueue_late()");
    // As another worker would, unheard. Not before the trigger is there: a worker that begins to listen raises it
    // again.
    database.execute("update millrace.queue_signal set raised = false");
    database.enqueue("q", "k");
    EXPECT_TRUE(completes(2)) << "the second came with the raising of the flag";
}

// Who lowered it may be busy for hours: a sleeper that finds nothing says again that it sleeps.
TEST_F(WakeUp, raises_the_flag_again_that_another_worker_has_lowered) {
    auto settings = quick_settings();
    settings.poll_interval = 1h;
    auto& running = start(no_op, settings);
    ASSERT_TRUE(running.log().await("listening"));
    for (int times = 1; times <= 3; ++times) {
        ASSERT_TRUE(database.becomes("select signal_raised from millrace.queues", "t")) << times;
        database.execute("select millrace.lower_signal('q')");
    }
    ASSERT_TRUE(database.becomes("select signal_raised from millrace.queues", "t"));
    database.enqueue("q", "k");
    EXPECT_TRUE(completes(1));
}

TEST_F(WakeUp, works_without_notifications_by_polling) {
    auto settings = quick_settings();
    settings.listening = engine::Listening::off;
    settings.poll_interval = 20ms;
    start(no_op, settings);
    database.enqueue("q", "k");
    EXPECT_TRUE(completes(1));
    EXPECT_EQ(database.value("select signal_raised from millrace.queues"), "f");
    EXPECT_EQ(connections("listener"), "0");
}

TEST_F(WakeUp, promotes_scheduled_jobs_when_they_are_due) {
    start(no_op);
    const auto job = database.enqueue("q", "k", "{}", "delay => '300 milliseconds'");
    EXPECT_TRUE(reaches(job, "completed"));
}

}  // namespace
}  // namespace millrace::testing
