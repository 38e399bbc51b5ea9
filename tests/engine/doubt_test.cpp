// Statements that were carried out, but whose answer was lost: each verb that a worker sends, and what it makes of it.

#include "storage/translation.hpp"
#include "support/answer_thief.hpp"
#include "support/worker_test.hpp"

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Job;

class Doubt : public WorkerTest {
protected:
    Doubt() {
        database.execute("create table public.ledger (job bigint, attempt int)");
        database.execute("grant insert on public.ledger to millrace_worker");
    }

    RunningWorker& start_behind_thief(engine::WorkerSettings settings = quick_settings()) {
        engine::Registry registry;
        registry.add("plain", handler(no_op));
        registry.add("gated", handler([this](const Job&, std::stop_token stop) {
                         gate.pass(stop);
                         return Completed{};
                     }));
        registry.add(
            "ledger", transactional_handler([](const Job& job, storage::Transaction& transaction, std::stop_token) {
                storage::execute(transaction, "insert into public.ledger values ($1, $2)", job.id.value, job.attempt);
                return Completed{};
            }));
        worker.emplace(thief.sessions(), std::move(registry), std::move(settings));
        return *worker;
    }

    ~Doubt() override { worker.reset(); }  // before the thief

    AnswerThief thief{database};
};

TEST_F(Doubt, about_the_opening_of_its_session_opens_another) {
    thief.steal("millrace.open_session(");
    start_behind_thief();
    EXPECT_TRUE(reaches(database.enqueue("q", "plain"), "completed"));
    EXPECT_EQ(thief.stolen(), 1);
    EXPECT_EQ(database.value("select count(*) from millrace.worker"), "2");
}

TEST_F(Doubt, about_a_settle_repeats_it) {
    auto& running = start_behind_thief();
    thief.steal("millrace.settle_many(");
    const auto job = database.enqueue("q", "plain");
    ASSERT_TRUE(running.log().await("connection restored"));
    EXPECT_EQ(running.stop(), engine::Worker::Ending::drained);
    EXPECT_EQ(database.state_of(job), "completed");
    EXPECT_EQ(thief.stolen(), 1);
    EXPECT_EQ(running.stats().completed, 1U);
    EXPECT_EQ(running.stats().lost, 0U) << "the fence tells that it was ours";
}

// The backend dies in the midst of the settle, three times; what a sequence has handed out is not rolled back.
TEST_F(Doubt, about_a_settle_repeats_it_as_often_as_it_takes) {
    database.execute("create sequence public.settles");
    database.execute(
        "create function public.die() returns trigger language plpgsql security definer as $$ begin"
        " if nextval('public.settles') <= 3 then perform pg_terminate_backend(pg_backend_pid()); end if;"
        " return null; end $$");
    database.execute(
        "create trigger die after delete on millrace.running for each statement execute function public.die()");
    auto& running = start_behind_thief();
    EXPECT_TRUE(reaches(database.enqueue("q", "plain"), "completed"));
    EXPECT_EQ(running.stop(), engine::Worker::Ending::drained);
    EXPECT_EQ(running.stats().completed, 1U);
    EXPECT_EQ(running.stats().lost, 0U);
}

// Its jobs are ours, and nobody here knows them: the session is retired, kept for what is known, and closed.
TEST_F(Doubt, about_a_claim_gives_back_what_it_took) {
    auto settings = quick_settings();
    settings.poll_interval = 1h;  // the claim that is robbed is the one that finds the job
    auto& running = start_behind_thief(settings);
    const auto known = database.enqueue("q", "gated");
    ASSERT_TRUE(gate.await_arrived(1));
    ASSERT_TRUE(database.becomes("select signal_raised from millrace.queues", "t"));
    thief.steal("millrace.claim(");
    const auto unknown = database.enqueue("q", "plain");
    ASSERT_TRUE(running.log().await("session opened", 2));
    EXPECT_EQ(thief.stolen(), 1);
    EXPECT_EQ(database.state_of(known), "running");
    gate.open();
    EXPECT_TRUE(reaches(known, "completed"));
    EXPECT_TRUE(reaches(unknown, "completed"));
    EXPECT_TRUE(running.log().await("retired session closed"));
    EXPECT_EQ(database.value("select string_agg(attempt::text, ' ') from millrace.finished"), "1 1");
    EXPECT_EQ(running.stats().lost, 0U);
}

TEST_F(Doubt, about_a_commit_that_took_place_does_not_repeat_its_effects) {
    auto& running = start_behind_thief();
    thief.steal("COMMIT");
    const auto job = database.enqueue("q", "ledger");
    EXPECT_TRUE(reaches(job, "completed"));
    EXPECT_TRUE(running.log().await("connection restored"));
    EXPECT_EQ(running.stop(), engine::Worker::Ending::drained);
    EXPECT_EQ(thief.stolen(), 1);
    EXPECT_EQ(database.value("select string_agg(attempt::text, ' ') from public.ledger"), "1");
    EXPECT_EQ(running.stats().completed, 1U);
    EXPECT_EQ(running.stats().lost, 0U);
}

TEST_F(Doubt, about_the_closing_of_its_session_ends_all_the_same) {
    auto& running = start_behind_thief();
    EXPECT_TRUE(reaches(database.enqueue("q", "plain"), "completed"));
    thief.steal("millrace.close_session(");
    EXPECT_EQ(running.stop(), engine::Worker::Ending::drained);
    EXPECT_EQ(thief.stolen(), 1);
    EXPECT_EQ(database.value("select string_agg(end_reason, ' ') from millrace.worker"), "closed");
}

TEST_F(Doubt, about_a_heartbeat_or_a_flag_is_no_matter) {
    thief.steal("millrace.raise_signal(");
    auto& running = start_behind_thief();
    ASSERT_TRUE(running.log().await("connection restored"));
    thief.steal("millrace.heartbeat(");
    EXPECT_TRUE(database.becomes("select signal_raised from millrace.queues", "t"));
    EXPECT_TRUE(reaches(database.enqueue("q", "plain"), "completed"));
    ASSERT_TRUE(running.log().await("connection restored", 2));
    EXPECT_EQ(running.stats().leases_lost, 0U);
}

}  // namespace
}  // namespace millrace::testing
