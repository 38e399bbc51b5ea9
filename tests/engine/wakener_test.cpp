#include "engine/wakener.hpp"

#include "support/database.hpp"
#include "support/log_watch.hpp"

#include <gtest/gtest.h>

#include <map>
#include <thread>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;

using engine::Ring;

class WakenerTest : public ::testing::Test {
protected:
    WakenerTest() {
        database.create_queue("a");
        database.create_queue("b");
    }

    Database database;
    LogWatch log;
    engine::Stats stats;
    engine::Bell a;
    engine::Bell b;
    engine::Bell any_session;
    engine::Bell session_seven;
    const engine::Wakener::OnCancelling on_cancelling = [this](std::optional<core::WorkerId> session) {
        (session ? session_seven : any_session)
            .ring(session.value_or(core::WorkerId{7}).value == 7 ? Ring::jobs : Ring::flagless);
    };
    std::map<storage::Announcement::News, engine::Bell> chores;
    const engine::Wakener::OnChore on_chore = [this](auto news) { chores[news].ring(Ring::jobs); };
    engine::Wakener wakener{
        database.worker_conninfo(), {{"a", &a}, {"b", &b}}, on_cancelling, on_chore, stats, log.log()};
    std::stop_source stop;
};

TEST_F(WakenerTest, rings_every_bell_when_it_begins_to_listen_and_then_the_one_that_is_meant) {
    std::jthread thread{[&](const std::stop_token& token) { wakener.run(token); }};
    EXPECT_EQ(a.wait(stop.get_token(), 10s), Ring::flagless) << "that a flag was lowered may have been missed";
    EXPECT_EQ(b.wait(stop.get_token(), 10s), Ring::flagless);
    database.execute("select pg_notify('millrace/b', '')");
    EXPECT_EQ(b.wait(stop.get_token(), 10s), Ring::jobs);
    EXPECT_EQ(a.wait(stop.get_token(), 0ms), std::nullopt);
    database.execute("select millrace.raise_signal('a'), millrace.lower_signal('a')");
    EXPECT_EQ(a.wait(stop.get_token(), 10s), Ring::flagless);
}

TEST_F(WakenerTest, rings_every_bell_again_after_a_loss_because_notifications_were_lost_with_it) {
    std::jthread thread{[&](const std::stop_token& token) { wakener.run(token); }};
    EXPECT_EQ(a.wait(stop.get_token(), 10s), Ring::flagless);
    EXPECT_EQ(database.terminate("millrace listener"), 1);
    EXPECT_EQ(a.wait(stop.get_token(), 10s), Ring::flagless);
    EXPECT_EQ(stats.reconnects, 1U);
}

TEST_F(WakenerTest, passes_on_which_session_has_something_to_stop_and_that_it_may_have_missed_some) {
    std::jthread thread{[&](const std::stop_token& token) { wakener.run(token); }};
    EXPECT_EQ(any_session.wait(stop.get_token(), 10s), Ring::jobs) << "it was not listening before";
    database.execute("select pg_notify('millrace:cancel', '7')");
    EXPECT_EQ(session_seven.wait(stop.get_token(), 10s), Ring::jobs);
    EXPECT_EQ(database.terminate("millrace listener"), 1);
    EXPECT_EQ(any_session.wait(stop.get_token(), 10s), Ring::jobs) << "nor for this moment";
}

TEST_F(WakenerTest, passes_on_what_concerns_the_chores_and_that_it_may_have_missed_some) {
    using News = storage::Announcement::News;
    for (const auto news : {News::scheduled, News::schedules, News::schemas})
        chores[news];
    std::jthread thread{[&](const std::stop_token& token) { wakener.run(token); }};
    for (const auto news : {News::scheduled, News::schedules, News::schemas})
        EXPECT_EQ(chores[news].wait(stop.get_token(), 10s), Ring::jobs) << "it was not listening before";
    database.execute("select millrace.raise_signal('a'), millrace.enqueue('a', 'k', delay => '1 second')");
    EXPECT_EQ(chores[News::scheduled].wait(stop.get_token(), 10s), Ring::jobs);
    database.execute("select millrace.create_schedule('s', '* * * * *', 'a', 'k')");
    EXPECT_EQ(chores[News::schedules].wait(stop.get_token(), 10s), Ring::jobs);
    database.execute("select millrace.register_schema('k', '{\"type\": \"object\"}')");
    EXPECT_EQ(chores[News::schemas].wait(stop.get_token(), 10s), Ring::jobs);
    EXPECT_EQ(chores[News::scheduled].wait(stop.get_token(), 0ms), std::nullopt) << "each of its own";
}

TEST(BellTest, remembers_the_ring_that_asks_for_more) {
    engine::Bell bell;
    const std::stop_source stop;
    bell.ring(Ring::flagless);
    bell.ring(Ring::jobs);
    EXPECT_EQ(bell.wait(stop.get_token(), 0ms), Ring::flagless);
    EXPECT_EQ(bell.wait(stop.get_token(), 0ms), std::nullopt);
}

TEST_F(WakenerTest, tells_when_it_listens) {
    wakener.await_listening(stop.get_token(), 0ms);
    EXPECT_EQ(log.count("listening"), 0U);
    std::jthread thread{[&](const std::stop_token& token) { wakener.run(token); }};
    wakener.await_listening(stop.get_token(), 10s);
    EXPECT_EQ(database.value("select count(*) from pg_stat_activity where application_name = 'millrace listener'"
                             " and datname = current_database() and state = 'idle'"),
              "1");
}

}  // namespace
}  // namespace millrace::testing
