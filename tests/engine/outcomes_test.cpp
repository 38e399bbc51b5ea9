// What becomes of a job, for every outcome that a handler may return or suffer.

#include "support/worker_test.hpp"

#include <atomic>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Discarded;
using core::Failed;
using core::Job;
using core::Outcome;
using core::Snoozed;

class Outcomes : public WorkerTest {
protected:
    Outcomes() : WorkerTest{"max_attempts => 3, retry_base => '10 milliseconds', retry_cap => '10 milliseconds'"} {}
};

TEST_F(Outcomes, a_completed_job_keeps_its_result) {
    start([](const Job& job, std::stop_token) { return Completed{job.payload, {}}; });
    const auto job = database.enqueue("q", "k", R"({"echo": "ü"})");
    EXPECT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(of(job, "result"), R"({"echo": "ü"})");
}

TEST_F(Outcomes, a_failed_job_is_tried_again_and_may_succeed) {
    start([](const Job& job, std::stop_token) -> Outcome {
        if (job.attempt < 3) return Failed{"not yet", {}};
        return Completed{};
    });
    const auto job = database.enqueue("q", "k");
    EXPECT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(of(job, "attempt"), "3");
    EXPECT_EQ(worker->stats().failed, 2U);
}

TEST_F(Outcomes, a_job_whose_attempts_are_used_up_is_a_dead_letter_with_its_last_error) {
    std::atomic<int> runs{0};
    start([&](const Job& job, std::stop_token) -> Outcome {
        ++runs;
        return Failed{"attempt " + std::to_string(job.attempt) + " of " + std::to_string(job.max_attempts), {}};
    });
    const auto job = database.enqueue("q", "k");
    EXPECT_TRUE(reaches(job, "discarded"));
    EXPECT_EQ(runs, 3);
    EXPECT_EQ(database.value("select error from millrace.dead_letters"), "attempt 3 of 3");
}

TEST_F(Outcomes, an_exception_is_a_failure_with_its_text_whatever_bytes_it_has) {
    start([](const Job&, std::stop_token) -> Outcome { throw std::runtime_error{"said \"\xFF\" {and} \\left"}; });
    const auto job = database.enqueue("q", "k", "{}", "max_attempts => 1");
    EXPECT_TRUE(reaches(job, "discarded"));
    EXPECT_EQ(of(job, "error"), "said \"?\" {and} \\left");
}

TEST_F(Outcomes, whatever_else_is_thrown_is_a_failure_too) {
    engine::Registry registry;
    registry.add("k", handler([](const Job&, std::stop_token) -> Outcome { throw 1; }));
    registry.add("t", transactional_handler(
                          [](const Job&, storage::Transaction&, std::stop_token) -> Outcome { throw "no exception"; }));
    start(std::move(registry));
    for (const auto* kind : {"k", "t"}) {
        const auto job = database.enqueue("q", kind, "{}", "max_attempts => 1");
        EXPECT_TRUE(reaches(job, "discarded"));
        EXPECT_EQ(of(job, "error"), "it threw what is no std::exception");
    }
}

TEST_F(Outcomes, a_snoozed_job_comes_again_without_losing_an_attempt) {
    std::atomic<int> runs{0};
    start([&](const Job& job, std::stop_token) -> Outcome {
        EXPECT_EQ(job.attempt, 1);
        return ++runs < 5 ? Outcome{Snoozed{1ms}} : Outcome{Completed{}};
    });
    const auto job = database.enqueue("q", "k");
    EXPECT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(runs, 5);
}

TEST_F(Outcomes, a_discarded_job_is_a_dead_letter_at_once) {
    start([](const Job&, std::stop_token) { return Discarded{"it can never work"}; });
    const auto job = database.enqueue("q", "k");
    EXPECT_TRUE(reaches(job, "discarded"));
    EXPECT_EQ(of(job, "attempt"), "1");
    EXPECT_EQ(of(job, "error"), "it can never work");
}

TEST_F(Outcomes, successors_run_after_their_predecessor_was_settled) {
    std::atomic<bool> predecessor_was_settled{false};
    engine::Registry registry;
    registry.add("first", handler([](const Job&, std::stop_token) {
                     return Completed{"", {{.queue = "q", .kind = "second", .payload = R"({"n": 2})"}}};
                 }));
    registry.add("second", handler([&](const Job&, std::stop_token) {
                     const auto session = database.sessions().open("test");
                     predecessor_was_settled = true;
                     return Completed{};
                 }));
    start(std::move(registry));
    const auto job = database.enqueue("q", "first");
    EXPECT_TRUE(database.becomes("select state from millrace.jobs where kind = 'second'", "completed"));
    EXPECT_EQ(database.state_of(job), "completed");
}

TEST_F(Outcomes, successors_are_of_the_trace_of_their_predecessor) {
    const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    const auto next = [](const std::string& kind) { return Completed{"", {{.queue = "q", .kind = kind}}}; };
    engine::Registry registry;
    registry.add("first", handler([&](const Job&, std::stop_token) { return next("second"); }));
    registry.add("second", transactional_handler(
                               [&](const Job&, storage::Transaction&, std::stop_token) { return next("third"); }));
    registry.add("third", handler(no_op));
    start(std::move(registry));
    database.enqueue("q", "first", "{}", "traceparent => '" + traceparent + "'");
    EXPECT_TRUE(database.becomes("select state from millrace.jobs where kind = 'third'", "completed"));
    EXPECT_EQ(database.value("select string_agg(distinct traceparent, ' ') from millrace.jobs"), traceparent);
    EXPECT_EQ(database.value("select count(traceparent) from millrace.jobs"), "3");
}

TEST_F(Outcomes, a_result_that_the_database_cannot_store_fails_its_job_and_no_other) {
    start([&](const Job& job, std::stop_token stop) {
        gate.pass(stop);
        return Completed{job.payload == R"("bad")" ? "{broken" : R"("fine")", {}};
    });
    const auto bad = database.enqueue("q", "k", R"("bad")", "max_attempts => 1");
    const auto good = database.enqueue("q", "k", R"("good")");
    ASSERT_TRUE(gate.await_arrived(2));
    gate.open();
    EXPECT_TRUE(reaches(good, "completed"));
    EXPECT_TRUE(reaches(bad, "discarded"));
    EXPECT_NE(of(bad, "error").find("its outcome was refused: invalid input syntax for type json"), std::string::npos)
        << of(bad, "error");
}

TEST_F(Outcomes, a_job_past_its_deadline_is_asked_to_stop_and_has_failed) {
    start([](const Job&, std::stop_token stop) -> Outcome {
        Gate never;
        never.pass(stop);
        throw std::runtime_error{"interrupted"};
    });
    const auto job = database.enqueue("q", "k", "{}", "timeout => '100 milliseconds', max_attempts => 1");
    EXPECT_TRUE(reaches(job, "discarded"));
    EXPECT_EQ(of(job, "error"), "timed out after 100 ms: interrupted");
    EXPECT_EQ(worker->stats().timed_out, 1U);
}

TEST_F(Outcomes, a_job_that_gets_done_after_its_deadline_all_the_same_is_done) {
    start([](const Job&, std::stop_token stop) {
        Gate never;
        never.pass(stop);
        return Completed{};
    });
    const auto job = database.enqueue("q", "k", "{}", "timeout => '100 milliseconds', max_attempts => 1");
    EXPECT_TRUE(reaches(job, "completed"));
}

TEST_F(Outcomes, a_kind_that_it_does_not_handle_stays_available_for_a_worker_that_does) {
    engine::Registry registry;
    registry.add_unavailable("email.send", "no mail server is configured");
    registry.add("k", handler([](const Job&, const std::stop_token&) { return Completed{}; }));
    start(std::move(registry));
    const auto mystery = database.enqueue("q", "mystery");
    const auto mail = database.enqueue("q", "email.send");
    const auto known = database.enqueue("q", "k");
    EXPECT_TRUE(reaches(known, "completed"));
    for (const auto job : {mystery, mail}) {
        EXPECT_EQ(of(job, "state"), "available");
        EXPECT_EQ(of(job, "attempt"), "0");
    }
    EXPECT_EQ(
        database.value("select string_agg(kind || ' ' || handled_by, ', ' order by kind) from millrace.kinds_aside"),
        "email.send 0, mystery 0");
}

}  // namespace
}  // namespace millrace::testing
