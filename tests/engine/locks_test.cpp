// Locks that somebody else holds for as long as he likes: what a worker does meanwhile, and that it ends when it is to.

#include "engine/pause.hpp"
#include "storage/translation.hpp"
#include "support/worker_test.hpp"

#include <atomic>
#include <thread>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Job;
using Ending = engine::Worker::Ending;

class Locks : public WorkerTest {
protected:
    // In a transaction that stays open until `let_go`.
    template <class... Arguments>
    void hold(const char* statement, Arguments... arguments) {
        holding.emplace(holder);
        storage::execute(*holding, statement, arguments...);
    }
    void let_go() {
        if (!holding) return;
        holding->commit();
        holding.reset();
    }
    // Without an end to wait for, the test would have none.
    Ending stop_within(std::chrono::seconds limit) {
        std::atomic<bool> ended{false};
        std::jthread rescue{[&](const std::stop_token& stop) {
            engine::pause(stop, limit);
            if (ended) return;
            ADD_FAILURE() << "it waits for the lock";
            let_go();
        }};
        const auto ending = worker->stop();
        ended = true;
        rescue.request_stop();
        return ending;
    }

    storage::Session holder{database.admin_conninfo(), "holder"};
    std::optional<storage::Transaction> holding;
};

TEST_F(Locks, of_one_job_keep_no_other_from_being_settled) {
    start([&](const Job&, std::stop_token) {
        gate.pass();
        return Completed{};
    });
    const auto first = database.enqueue("q", "k");
    const auto second = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(2));
    hold("select millrace.cancel($1)", first);
    gate.open();
    EXPECT_TRUE(reaches(second, "completed"));
    const auto third = database.enqueue("q", "k");
    EXPECT_TRUE(reaches(third, "completed"));
    EXPECT_EQ(database.state_of(first), "running");
    EXPECT_TRUE(worker->log().await("results are put aside, their rows are locked"));
    let_go();
    EXPECT_TRUE(reaches(first, "completed")) << "it was faster than its cancellation";
}

TEST_F(Locks, of_one_job_do_not_keep_the_worker_from_ending) {
    start([&](const Job&, std::stop_token) {
        gate.pass();
        return Completed{};
    });
    const auto first = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    hold("select millrace.cancel($1)", first);
    gate.open();
    ASSERT_TRUE(worker->log().await("results are put aside, their rows are locked"));
    EXPECT_EQ(stop_within(40s), Ending::drained);
    EXPECT_EQ(database.state_of(first), "running") << "the lease runs out, and gives it to another";
}

TEST_F(Locks, of_a_table_do_not_keep_the_worker_from_ending) {
    auto settings = quick_settings();
    settings.lease = 1h;  // no heartbeat ends the wait
    auto& running = start(
        [&](const Job&, std::stop_token) {
            gate.pass();
            return Completed{};
        },
        settings);
    database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    hold("lock table millrace.ready in access exclusive mode");
    const std::string waiting_claims =
        "select count(*) > 0 from pg_stat_activity where datname = current_database()"
        " and application_name = 'millrace claimer q' and wait_event_type = 'Lock'";
    ASSERT_TRUE(database.becomes(waiting_claims, "t"));
    gate.open();
    EXPECT_EQ(stop_within(40s), Ending::drained);
    EXPECT_GE(running.log().count("a statement does not end, hanging up"), 1U) << running.log().text();
    let_go();
    EXPECT_EQ(database.value("select completed from millrace.queues"), "1");
}

}  // namespace
}  // namespace millrace::testing
