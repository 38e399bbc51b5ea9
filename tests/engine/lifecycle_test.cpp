// Start, drain, the loss of lease and connection, and what wakes a sleeping worker.

#include "storage/error.hpp"
#include "storage/job_store.hpp"
#include "storage/translation.hpp"
#include "storage/worker_store.hpp"
#include "support/database.hpp"
#include "support/gate.hpp"
#include "support/running_worker.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Failed;
using core::Job;
using core::Outcome;
using Ending = engine::Worker::Ending;

class Lifecycle : public ::testing::Test {
protected:
    Lifecycle() { database.create_queue("q", "max_attempts => 3"); }

    RunningWorker& start(RunJob run, engine::WorkerSettings settings = quick_settings()) {
        engine::Registry registry;
        registry.add("k", handler(std::move(run)));
        worker.emplace(database.sessions(), std::move(registry), std::move(settings));
        return *worker;
    }
    bool reaches(std::int64_t job, const std::string& state) {
        return database.becomes("select state from millrace.jobs where id = " + std::to_string(job), state);
    }
    bool completes(int jobs) {
        return database.becomes("select completed from millrace.queues where name = 'q'", std::to_string(jobs));
    }

    Database database;
    Gate gate;
    std::optional<RunningWorker> worker;
};

const RunJob no_op = [](const Job&, std::stop_token) { return Completed{}; };

TEST_F(Lifecycle, opens_a_session_and_closes_it) {
    start(no_op);
    EXPECT_TRUE(database.becomes("select name || ' ' || state from millrace.workers", "test alive"));
    EXPECT_EQ(worker->stop(), Ending::drained);
    EXPECT_EQ(database.value("select count(*) from millrace.worker where ended_at is null"), "0");
    worker.reset();
    EXPECT_TRUE(database.becomes("select count(*) from pg_stat_activity where application_name like 'millrace %'"
                                 " and datname = current_database()",
                                 "0"));
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
    database.execute("update millrace.installation set database_name = 'production'");
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
    database.execute("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[5000]))");
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
    database.execute("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[10]))");
    ASSERT_TRUE(gate.await_arrived(4));
    EXPECT_EQ(database.value("select running || ' ' || available from millrace.queues"), "4 6");
    gate.open();
    EXPECT_TRUE(completes(10));
}

TEST_F(Lifecycle, gives_back_what_it_has_claimed_ahead_when_slots_do_not_come_free) {
    std::atomic<int> runs{0};
    start([&](const Job& job, std::stop_token stop) {
        if (job.payload == R"("slow")") gate.pass(stop);
        ++runs;
        return Completed{};
    });
    // short ones first, so that it claims ahead
    database.execute("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[3000]) ||"
                     " array_fill('\"slow\"'::jsonb, array[200]))");
    ASSERT_TRUE(gate.await_arrived(4));
    EXPECT_TRUE(database.becomes("select running from millrace.queues", "4"));
    gate.open();
    EXPECT_TRUE(completes(3200));
    EXPECT_EQ(runs, 3200);
}

TEST_F(Lifecycle, drains_what_runs_and_gives_back_what_was_not_started) {
    auto& running = start([&](const Job& job, std::stop_token stop) {
        if (job.payload == R"("slow")") {
            EXPECT_TRUE(gate.pass(stop));
        }
        return Completed{};
    });
    // short ones first, so that it claims ahead
    database.execute("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[3000]) ||"
                     " array_fill('\"slow\"'::jsonb, array[200]))");
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

TEST_F(Lifecycle, stops_its_attempts_when_the_session_was_ended_and_goes_on_under_another) {
    std::atomic<int> stopped{0};
    auto& running = start([&](const Job& job, std::stop_token stop) -> Outcome {
        if (job.attempt == 2) return Completed{};
        gate.pass(stop);
        ++stopped;
        return Completed{};  // too late: refused by the fence
    });
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    database.advance_clock(11s);
    EXPECT_EQ(database.value("select millrace.reap()"), "1");
    EXPECT_TRUE(running.log().await("lease lost"));
    EXPECT_TRUE(running.log().await("session opened", 2));
    EXPECT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(stopped, 1);
    EXPECT_EQ(database.value("select attempt from millrace.jobs"), "2");
    EXPECT_EQ(database.value("select count(*) from millrace.finished"), "1");
    EXPECT_EQ(running.stats().leases_lost, 1U);
    EXPECT_EQ(running.stop(), Ending::drained);
    EXPECT_EQ(running.stats().lost, 1U);
}

TEST_F(Lifecycle, redoes_its_own_jobs_after_it_was_taken_for_dead_by_a_close) {
    auto& running = start([&](const Job&, std::stop_token stop) -> Outcome {
        if (gate.arrived() < 4) {
            gate.pass(stop);
            return Failed{"stopped", {}};
        }
        return Completed{};
    });
    database.execute("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[20]))");
    ASSERT_TRUE(gate.await_arrived(4));
    database.execute("select millrace.close_session(id) from millrace.worker where ended_at is null");
    EXPECT_TRUE(running.log().await("lease lost"));
    EXPECT_TRUE(completes(20));
    EXPECT_EQ(database.value("select count(*) from millrace.attempt_failure"), "0") << "nobody's fault";
}

TEST_F(Lifecycle, learns_from_a_claim_that_its_session_has_ended) {
    auto settings = quick_settings();
    settings.lease = 10min;  // the next heartbeat is far away
    auto& running = start(
        [&](const Job& job, std::stop_token stop) {
            if (job.payload == R"("slow")") gate.pass(stop);
            return Completed{};
        },
        settings);
    database.enqueue("q", "k", R"("slow")");
    ASSERT_TRUE(gate.await_arrived(1));
    database.execute("select millrace.close_session(id) from millrace.worker");
    EXPECT_TRUE(running.log().await("session opened", 2));
    gate.open();
    EXPECT_TRUE(completes(1));
    EXPECT_EQ(running.stats().leases_lost, 1U);
}

TEST_F(Lifecycle, stops_its_attempts_when_the_lease_cannot_be_renewed_in_time) {
    std::atomic<int> stopped{0};
    auto settings = quick_settings();
    settings.lease = 1s;
    auto& running = start(
        [&](const Job&, std::stop_token stop) -> Outcome {
            if (gate.pass(stop)) return Completed{};
            ++stopped;
            return Failed{"stopped", {}};
        },
        settings);
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    const auto session = storage::SessionFactory{database.admin_conninfo()}.open("test");
    {
        storage::Transaction blocking{*session};
        storage::execute(blocking, "select from millrace.worker for update");  // heartbeats wait
        EXPECT_TRUE(running.log().await("lease lost"));
        EXPECT_NE(running.log().text().find("not renewed in time"), std::string::npos);
    }
    gate.open();
    EXPECT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(stopped, 1);
    EXPECT_EQ(database.value("select count(*) from millrace.finished"), "1");
}

TEST_F(Lifecycle, loses_and_doubles_nothing_while_its_backends_are_killed) {
    std::atomic<int> runs{0};
    auto& running = start([&](const Job&, std::stop_token) {
        ++runs;
        return Completed{};
    });
    constexpr int rounds = 20;
    constexpr int enqueued = rounds * 200;
    for (int round = 0; round < rounds; ++round) {
        ASSERT_TRUE(database.becomes("select count(*) > 0 from pg_stat_activity where application_name = 'millrace claimer q'"
                                     " and datname = current_database()",
                                     "t"));
        database.execute("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[200]))");
        database.terminate("millrace %");
    }
    EXPECT_TRUE(completes(enqueued)) << running.log().text();
    const auto count = std::to_string(enqueued);
    EXPECT_EQ(database.value("select count(*) || ' ' || count(distinct job_id) from millrace.finished"),
              count + " " + count);
    EXPECT_EQ(database.value("select count(*) from millrace.running"), "0");
    EXPECT_GT(running.stats().reconnects, 0U);
    EXPECT_EQ(running.stop(), Ending::drained);
}

TEST_F(Lifecycle, listens_before_it_claims_and_is_woken_by_an_enqueue) {
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

TEST_F(Lifecycle, finds_jobs_that_were_enqueued_while_its_listener_was_cut_off) {
    auto settings = quick_settings();
    settings.poll_interval = 1h;
    auto& running = start(no_op, settings);
    ASSERT_TRUE(running.log().await("listening"));
    database.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'millrace listener'"
                     " and datname = current_database()");
    database.enqueue("q", "k");
    EXPECT_TRUE(completes(1));
    EXPECT_TRUE(running.log().await("listening", 2));
}

TEST_F(Lifecycle, works_without_notifications_by_polling) {
    auto settings = quick_settings();
    settings.listening = engine::Listening::off;
    settings.poll_interval = 20ms;
    start(no_op, settings);
    database.enqueue("q", "k");
    EXPECT_TRUE(completes(1));
    EXPECT_EQ(database.value("select signal_raised from millrace.queues"), "f");
    EXPECT_EQ(database.value("select count(*) from pg_stat_activity where application_name = 'millrace listener'"
                             " and datname = current_database()"),
              "0");
}

TEST_F(Lifecycle, promotes_scheduled_jobs_when_they_are_due) {
    start(no_op);
    const auto job = database.enqueue("q", "k", "{}", "delay => '300 milliseconds'");
    EXPECT_TRUE(reaches(job, "completed"));
}

TEST_F(Lifecycle, takes_over_the_jobs_of_a_worker_that_is_gone) {
    const auto session = database.sessions().open("test");
    const auto gone = storage::WorkerStore{*session}.open({"gone", "1", {"q"}, 1s});
    const auto job = database.enqueue("q", "k");
    ASSERT_EQ(storage::JobStore{*session}.claim(gone, "q", 1).size(), 1U);
    auto settings = quick_settings();
    settings.lease = 1s;
    start(no_op, settings);
    EXPECT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(database.value("select attempt from millrace.jobs"), "2");
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
    database.execute("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[100]))");
    EXPECT_TRUE(completes(100));
    gate.open();
    EXPECT_TRUE(reaches(blocked, "completed"));
}

}  // namespace
}  // namespace millrace::testing
