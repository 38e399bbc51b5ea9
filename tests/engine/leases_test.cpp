// The loss of a lease, of a session, of connections: whoever holds the fence decides.

#include "storage/job_store.hpp"
#include "storage/translation.hpp"
#include "storage/worker_store.hpp"
#include "support/worker_test.hpp"

#include <atomic>
#include <semaphore>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Failed;
using core::Job;
using core::Outcome;
using Ending = engine::Worker::Ending;

class Leases : public WorkerTest {};

TEST_F(Leases, stops_its_attempts_when_the_session_was_ended_and_goes_on_under_another) {
    std::atomic<int> stopped{0};
    auto& running = start([&](const Job& job, std::stop_token stop) -> Outcome {
        if (job.attempt == 2) return Completed{};
        gate.pass(stop);
        ++stopped;
        return Completed{};  // too late: refused by the fence
    });
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    database.execute(  // in one transaction: a heartbeat would renew the lease, and a claim under way keep reapers off
        "do $$ begin perform from millrace.worker for update;"
        " update millrace.worker set lease_expires_at = started_at; perform millrace.reap(); end $$");
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

TEST_F(Leases, redoes_its_own_jobs_after_it_was_taken_for_dead_by_a_close) {
    auto& running = start([&](const Job&, std::stop_token stop) -> Outcome {
        if (gate.arrived() < 4) {
            gate.pass(stop);
            return Failed{"stopped", {}};
        }
        return Completed{};
    });
    enqueue_many(20);
    ASSERT_TRUE(gate.await_arrived(4));
    database.execute("select millrace.close_session(id) from millrace.worker where ended_at is null");
    EXPECT_TRUE(running.log().await("lease lost"));
    EXPECT_TRUE(completes(20));
    EXPECT_EQ(database.value("select count(*) from millrace.attempt_failure"), "0") << "nobody's fault";
}

TEST_F(Leases, learns_from_a_claim_that_its_session_has_ended) {
    auto settings = quick_settings();
    settings.lease = 10min;  // the next heartbeat is far away
    auto& running = start(
        [&](const Job& job, std::stop_token stop) {
            if (is_slow(job)) gate.pass(stop);
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

TEST_F(Leases, stops_its_attempts_when_the_lease_cannot_be_renewed_in_time) {
    std::counting_semaphore<> stopped{0};
    auto settings = quick_settings();
    settings.lease = 1s;
    auto& running = start(
        [&](const Job&, std::stop_token stop) -> Outcome {
            if (gate.pass(stop)) return Completed{};
            stopped.release();
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
        EXPECT_TRUE(stopped.try_acquire_for(10s));
    }
    gate.open();
    EXPECT_TRUE(reaches(job, "completed"));
    EXPECT_FALSE(stopped.try_acquire());
    EXPECT_EQ(database.value("select count(*) from millrace.attempt_failure where outcome = 'failed'"), "0");
    EXPECT_EQ(database.value("select count(*) from millrace.finished"), "1");
}

TEST_F(Leases, loses_and_doubles_nothing_while_its_backends_are_killed) {
    std::atomic<int> runs{0};
    auto& running = start([&](const Job&, std::stop_token) {
        ++runs;
        return Completed{};
    });
    constexpr int rounds = 20;
    constexpr int enqueued = rounds * 200;
    for (int round = 0; round < rounds; ++round) {
        ASSERT_TRUE(
            database.becomes("select count(*) > 0 from pg_stat_activity where datname = current_database()"
                             " and application_name = 'millrace claimer q'",
                             "t"));
        enqueue_many(200);
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

TEST_F(Leases, takes_over_the_jobs_of_a_worker_that_is_gone) {
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

}  // namespace
}  // namespace millrace::testing
