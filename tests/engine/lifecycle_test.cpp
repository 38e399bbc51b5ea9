// A worker's start, its work, and its end.

#include "engine/watchdog.hpp"
#include "storage/error.hpp"
#include "support/worker_test.hpp"

#include <atomic>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Failed;
using core::Job;
using core::Outcome;
using Ending = engine::Worker::Ending;

class Lifecycle : public WorkerTest {};

TEST_F(Lifecycle, opens_a_session_and_closes_it) {
    start(no_op);
    EXPECT_TRUE(database.becomes("select name || ' ' || state from millrace.workers", "test alive"));
    EXPECT_EQ(worker->stop(), Ending::drained);
    EXPECT_EQ(database.value("select count(*) from millrace.worker where ended_at is null"), "0");
    worker.reset();
    EXPECT_TRUE(
        database.becomes("select count(*) from pg_stat_activity where application_name like 'millrace %'"
                         " and datname = current_database()",
                         "0"));
}

// The time that a watchdog gives it is counted from its last round.
TEST_F(Lifecycle, is_alive_while_its_watchdog_goes_round) {
    LogWatch log;
    engine::Stats stats;
    engine::RunningAttempts attempts;
    engine::AnswerWatch answers{1h};
    engine::Heartbeat heartbeat{database.sessions(), {"test", "1", {"q"}, 30s}, attempts, answers, stats, log.log()};
    const engine::AttemptLog attempt_log{log.log(), "test"};
    engine::Watchdog watchdog{attempts, 1s, heartbeat, answers, stats, log.log(), attempt_log};
    const auto made = engine::Clock::now();
    EXPECT_TRUE(watchdog.goes_round(made));
    EXPECT_FALSE(watchdog.goes_round(made + engine::Watchdog::longest_round)) << "it has not begun";
    std::jthread thread{[&](const std::stop_token& stop) { watchdog.run(stop); }};
    while (!watchdog.goes_round(made + engine::Watchdog::longest_round) && engine::Clock::now() < made + 10s)
        std::this_thread::yield();
    EXPECT_TRUE(watchdog.goes_round(made + engine::Watchdog::longest_round));

    start(no_op);
    EXPECT_TRUE(database.becomes("select state from millrace.workers", "alive"));
    EXPECT_TRUE(worker->worker().condition().is_alive);
}

TEST_F(Lifecycle, stops_while_the_server_cannot_be_reached) {
    const storage::SessionFactory nowhere{"host=/nonexistent"};
    const engine::Registry registry;
    LogWatch log;
    engine::Worker lost{nowhere, registry, quick_settings(), log.log()};
    std::stop_source stop;
    std::jthread stopper{[&] {
        EXPECT_TRUE(log.await("cannot connect"));
        stop.request_stop();
    }};
    EXPECT_EQ(lost.run(stop.get_token()), Ending::drained);
}

TEST_F(Lifecycle, does_not_work_for_a_queue_that_is_not_there) {
    auto settings = quick_settings();
    settings.queues.push_back({.name = "nowhere"});
    start(no_op, settings);
    try {
        worker->await_end();
        FAIL() << "it worked";
    } catch (const storage::Error& error) {
        EXPECT_EQ(error.sqlstate(), "MR003");
    }
}

TEST_F(Lifecycle, does_not_work_on_a_database_that_was_restored_elsewhere) {
    database.execute("update millrace.installation set database_name = 'production', database_oid = 1");
    start(no_op);
    try {
        worker->await_end();
        FAIL() << "it worked";
    } catch (const storage::Error& error) {
        EXPECT_EQ(error.sqlstate(), "MR011");
    }
}

TEST_F(Lifecycle, runs_many_jobs_each_once) {
    std::atomic<int> runs{0};
    start([&](const Job&, std::stop_token) {
        ++runs;
        return Completed{};
    });
    enqueue_many(5000);
    EXPECT_TRUE(completes(5000));
    EXPECT_EQ(worker->stop(), Ending::drained);
    EXPECT_EQ(runs, 5000);
    EXPECT_EQ(worker->stats().claimed, 5000U);
    EXPECT_EQ(worker->stats().completed, 5000U);
    EXPECT_LT(worker->stats().claims, 1000U) << "short jobs are claimed many at a time";
}

TEST_F(Lifecycle, claims_no_more_slow_jobs_than_it_has_slots) {
    start([&](const Job&, std::stop_token stop) {
        gate.pass(stop);
        return Completed{};
    });
    enqueue_many(10);
    ASSERT_TRUE(gate.await_arrived(4));
    EXPECT_EQ(database.value("select running || ' ' || available from millrace.queues"), "4 6");
    gate.open();
    EXPECT_TRUE(completes(10));
}

TEST_F(Lifecycle, runs_more_at_once_when_it_is_given_slots) {
    auto settings = quick_settings();
    auto& running = start([&](const Job&, std::stop_token stop) {
        gate.pass(stop);
        return Completed{};
    });
    enqueue_many(10);
    ASSERT_TRUE(gate.await_arrived(4));
    settings.queues.front().slots = 7;
    running.adjust(settings);
    ASSERT_TRUE(gate.await_arrived(7));
    EXPECT_EQ(database.value("select running || ' ' || available from millrace.queues"), "7 3");
    EXPECT_EQ(running.stats().leases_lost, 0U);
    gate.open();
    EXPECT_TRUE(completes(10));
    EXPECT_EQ(running.stop(), Ending::drained);
}

TEST_F(Lifecycle, lets_what_runs_in_slots_that_are_taken_away_end_first) {
    std::atomic<int> at_once{0};
    std::atomic<int> most{0};
    auto& running = start([&](const Job& job, std::stop_token stop) {
        if (is_slow(job)) {
            gate.pass(stop);
            return Completed{};
        }
        most = std::max(most.load(), ++at_once);
        std::this_thread::yield();
        --at_once;
        return Completed{};
    });
    enqueue_short_and_slow(0, 4);
    ASSERT_TRUE(gate.await_arrived(4));
    auto settings = quick_settings();
    settings.queues.front().slots = 1;
    running.adjust(settings);
    ASSERT_TRUE(running.log().await("adjusted"));
    enqueue_many(500);
    gate.open();
    EXPECT_TRUE(completes(504));
    EXPECT_EQ(most, 1);
}

TEST_F(Lifecycle, drains_by_the_time_limit_that_holds_by_then) {
    auto settings = quick_settings();
    settings.drain_timeout = 1h;
    auto& running = start(
        [&](const Job&, std::stop_token stop) {
            gate.pass(stop);
            return Completed{};
        },
        settings);
    enqueue_many(1);
    ASSERT_TRUE(gate.await_arrived(1));
    settings.drain_timeout = 0s;
    running.adjust(settings);
    EXPECT_EQ(running.stop(), Ending::drained);
    EXPECT_EQ(running.log().count("drain timeout, asking the running attempts to stop"), 1U);
}

TEST_F(Lifecycle, gives_back_what_it_has_claimed_ahead_when_slots_do_not_come_free) {
    std::atomic<int> runs{0};
    start([&](const Job& job, std::stop_token stop) {
        if (is_slow(job)) gate.pass(stop);
        ++runs;
        return Completed{};
    });
    enqueue_short_and_slow(3000, 200);
    ASSERT_TRUE(gate.await_arrived(4));
    EXPECT_TRUE(database.becomes("select running from millrace.queues", "4"));
    gate.open();
    EXPECT_TRUE(completes(3200));
    EXPECT_EQ(runs, 3200);
}

TEST_F(Lifecycle, drains_what_runs_and_gives_back_what_was_not_started) {
    auto& running = start([&](const Job& job, std::stop_token stop) {
        if (is_slow(job)) {
            EXPECT_TRUE(gate.pass(stop));
        }
        return Completed{};
    });
    enqueue_short_and_slow(3000, 200);
    ASSERT_TRUE(gate.await_arrived(4));
    running.request_stop();
    ASSERT_TRUE(running.log().await("stopping"));
    EXPECT_TRUE(database.becomes("select draining from millrace.workers", "t"));
    EXPECT_TRUE(database.becomes("select running || ' ' || available from millrace.queues", "4 196"))
        << "what was claimed ahead is available to others while the rest drains";
    gate.open();
    EXPECT_EQ(running.stop(), Ending::drained);
    EXPECT_EQ(database.value("select completed || ' ' || available || ' ' || running from millrace.queues"),
              "3004 196 0");
    EXPECT_EQ(database.value("select max(attempt) from millrace.ready"), "0");
}

TEST_F(Lifecycle, asks_attempts_to_stop_after_the_drain_and_does_not_count_them) {
    auto settings = quick_settings();
    settings.drain_timeout = 50ms;
    auto& running = start(
        [&](const Job&, std::stop_token stop) -> Outcome {
            gate.pass(stop);
            return Failed{"interrupted", {}};
        },
        settings);
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    EXPECT_EQ(running.stop(), Ending::drained);
    EXPECT_EQ(database.state_of(job), "available");
    EXPECT_EQ(database.value("select attempt from millrace.ready"), "0");
    EXPECT_EQ(running.stats().released, 1U);
}

TEST_F(Lifecycle, gives_back_the_job_of_a_handler_that_does_not_listen_and_refuses_its_late_result) {
    auto settings = quick_settings();
    settings.drain_timeout = 50ms;
    settings.stop_grace = 50ms;
    auto& running = start(
        [&](const Job&, std::stop_token) {
            gate.pass();
            return Completed{};
        },
        settings);
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    EXPECT_EQ(running.stop(), Ending::abandoned);
    EXPECT_EQ(database.state_of(job), "available");
    EXPECT_EQ(database.value("select count(*) from millrace.worker where ended_at is null"), "0");
    gate.open();
    worker.reset();  // joins the handler's thread
    EXPECT_EQ(database.state_of(job), "available");
}

TEST_F(Lifecycle, serves_several_queues_side_by_side) {
    database.create_queue("other");
    auto settings = quick_settings();
    settings.queues.push_back({.name = "other", .slots = 1});
    start(
        [&](const Job& job, std::stop_token stop) {
            if (job.queue == "other") gate.pass(stop);
            return Completed{};
        },
        settings);
    const auto blocked = database.enqueue("other", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    enqueue_many(100);
    EXPECT_TRUE(completes(100));
    gate.open();
    EXPECT_TRUE(reaches(blocked, "completed"));
}

}  // namespace
}  // namespace millrace::testing
