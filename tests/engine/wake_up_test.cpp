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
