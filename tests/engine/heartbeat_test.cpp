#include "engine/heartbeat.hpp"

#include "storage/translation.hpp"
#include "support/database.hpp"
#include "support/log_watch.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using engine::Clock;

class HeartbeatTest : public ::testing::Test {
protected:
    HeartbeatTest() { database.create_queue("q"); }

    Database database;
    LogWatch log;
    engine::Stats stats;
    engine::RunningAttempts attempts;
    engine::AnswerWatch answers{1h};
    engine::Heartbeat heartbeat{database.sessions(), {"test", "1", {"q"}, 30s}, attempts, answers, stats, log.log()};
};

// The server counts from when it ran the statement; how long the answer took, nobody knows.
TEST_F(HeartbeatTest, is_trusted_from_when_it_was_sent) {
    heartbeat.open({});
    const auto before = Clock::now();
    const auto blocker = storage::SessionFactory{database.admin_conninfo()}.open("test");
    auto blocking = std::make_unique<storage::Transaction>(*blocker);
    storage::execute(*blocking, "select from millrace.worker for update");
    std::jthread thread{[&](const std::stop_token& stop) { heartbeat.run(stop); }};
    ASSERT_TRUE(
        database.becomes("select count(*) from pg_stat_activity where datname = current_database()"
                         " and application_name = 'millrace heartbeat' and wait_event_type = 'Lock'",
                         "1"));
    const auto while_it_waits = Clock::now();
    blocking.reset();
    while (Clock::now() - heartbeat.age().value() <= before && Clock::now() < before + 20s)
        std::this_thread::yield();
    heartbeat.expire(before + 30s);
    EXPECT_EQ(stats.leases_lost, 0U) << "it was renewed";
    heartbeat.expire(while_it_waits + 30s);
    EXPECT_EQ(stats.leases_lost, 1U);
    EXPECT_EQ(log.count("lease lost"), 1U);
}

// Whoever watches from outside must see it, and must not wait for what it waits for.
TEST_F(HeartbeatTest, does_not_go_round_while_it_is_held_up) {
    constexpr auto longest = 2 * 1s + engine::Heartbeat::connecting;
    engine::Heartbeat quick{database.sessions(), {"test", "1", {"q"}, 1s}, attempts, answers, stats, log.log()};
    quick.open({});
    const auto blocker = storage::SessionFactory{database.admin_conninfo()}.open("test");
    auto blocking = std::make_unique<storage::Transaction>(*blocker);
    storage::execute(*blocking, "select from millrace.worker for update");
    std::jthread thread{[&](const std::stop_token& stop) { quick.run(stop); }};
    ASSERT_TRUE(
        database.becomes("select count(*) from pg_stat_activity where datname = current_database()"
                         " and application_name = 'millrace heartbeat' and wait_event_type = 'Lock'",
                         "1"));
    const auto held_up_since = Clock::now();
    EXPECT_TRUE(quick.goes_round(held_up_since)) << "there is time";
    EXPECT_FALSE(quick.goes_round(held_up_since + longest));
    blocking.reset();
    while (!quick.goes_round(held_up_since + longest) && Clock::now() < held_up_since + 20s)
        std::this_thread::yield();
    EXPECT_TRUE(quick.goes_round(held_up_since + longest)) << "it has come round since";
}

}  // namespace
}  // namespace millrace::testing
