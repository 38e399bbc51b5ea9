// A database that falls silent without hanging up: who notices, and who is hung up.

#include "engine/answer_watch.hpp"
#include "engine/reconnecting.hpp"
#include "storage/error.hpp"
#include "storage/translation.hpp"
#include "storage/worker_store.hpp"
#include "support/worker_test.hpp"

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using engine::AnswerWatch;
using engine::Clock;
using Speaker = AnswerWatch::Speaker;

class Answers : public WorkerTest {
protected:
    [[nodiscard]] static bool is_usable(storage::Session& session) {
        try {
            std::ignore = storage::WorkerStore{session}.open({"probe", "1", {"q"}, 10s});
            return true;
        } catch (const storage::ConnectionLost&) {
            return false;
        }
    }

    LogWatch log;
    engine::Stats stats;
    AnswerWatch watch{100ms};
    const std::unique_ptr<storage::Session> heartbeat = database.sessions().open("heartbeat");
    const std::unique_ptr<storage::Session> settle = database.sessions().open("settle");
};

TEST_F(Answers, are_waited_for_as_long_as_heartbeats_are_answered) {
    const AnswerWatch::Waiting long_settle{watch, *settle, Speaker::other};
    EXPECT_EQ(watch.hang_up_unanswered(Clock::now() + 1h), 0);
    { const AnswerWatch::Waiting answered{watch, *heartbeat, Speaker::heartbeat}; }
    EXPECT_EQ(watch.hang_up_unanswered(Clock::now() + 1h), 0);
    EXPECT_TRUE(is_usable(*settle));
}

TEST_F(Answers, that_do_not_come_to_a_heartbeat_are_expected_from_nobody) {
    const AnswerWatch::Waiting unanswered{watch, *heartbeat, Speaker::heartbeat};
    const AnswerWatch::Waiting with_it{watch, *settle, Speaker::other};
    EXPECT_EQ(watch.hang_up_unanswered(Clock::now()), 0) << "not yet";
    const auto late = Clock::now() + 100ms;
    EXPECT_EQ(watch.hang_up_unanswered(late), 2);
    EXPECT_EQ(watch.hang_up_unanswered(late), 0) << "once";
    EXPECT_FALSE(is_usable(*heartbeat));
    EXPECT_FALSE(is_usable(*settle));
}

TEST_F(Answers, are_asked_for_by_the_heartbeat_alone_until_it_has_one) {
    {
        const AnswerWatch::Waiting unanswered{watch, *heartbeat, Speaker::heartbeat};
        EXPECT_EQ(watch.hang_up_unanswered(Clock::now() + 100ms), 1);
    }
    EXPECT_TRUE(watch.is_silent());
    { const AnswerWatch::Waiting too_late{watch, *settle, Speaker::other}; }
    EXPECT_FALSE(is_usable(*settle)) << "it had a connection in hand";

    engine::Reconnecting others{database.sessions(), "others", watch, stats, log.log()};
    engine::Reconnecting beats{database.sessions(), "beats", watch, stats, log.log(), Speaker::heartbeat};
    EXPECT_THROW(std::ignore = others.get_now(), storage::ConnectionLost);
    EXPECT_TRUE(is_usable(beats.get_now()));
    watch.note_answer();
    EXPECT_TRUE(is_usable(others.get_now()));
}

// It may be to a server that is no longer the primary, and answers claims all the same.
TEST_F(Answers, of_a_connection_from_before_the_silence_are_not_trusted) {
    engine::Reconnecting others{database.sessions(), "others", watch, stats, log.log()};
    const auto backend = [&] {
        return storage::execute(others.get_now(), "select pg_backend_pid()").at(0).at(0).as<int>();
    };
    const auto before = backend();
    EXPECT_EQ(backend(), before);
    {
        const AnswerWatch::Waiting unanswered{watch, *heartbeat, Speaker::heartbeat};
        EXPECT_EQ(watch.hang_up_unanswered(Clock::now() + 100ms), 1) << "it waited for nothing";
    }
    watch.note_answer();
    EXPECT_NE(backend(), before);
}

TEST_F(Answers, are_not_waited_for_on_a_connection_that_was_in_hand_all_through_the_silence) {
    engine::Reconnecting others{database.sessions(), "others", watch, stats, log.log()};
    auto& in_hand = others.get_now();
    {
        const AnswerWatch::Waiting unanswered{watch, *heartbeat, Speaker::heartbeat};
        EXPECT_EQ(watch.hang_up_unanswered(Clock::now() + 100ms), 1);
    }
    watch.note_answer();
    { const auto waiting = others.await_answer(in_hand); }
    EXPECT_FALSE(is_usable(in_hand));
}

// The heartbeat waits for a lock, as it would for a standby that does not confirm: no time limit of the server's ends
// it.
TEST_F(Answers, are_awaited_anew_on_another_connection) {
    auto settings = quick_settings();
    settings.lease = 3s;
    auto& running = start(no_op, settings);
    ASSERT_TRUE(reaches(database.enqueue("q", "k"), "completed"));
    database.execute("begin");
    database.execute("select from millrace.worker for update");
    EXPECT_TRUE(running.log().await("the database does not answer, hanging up"));
    database.execute("commit");
    ASSERT_TRUE(running.log().await("connection restored"));
    EXPECT_TRUE(reaches(database.enqueue("q", "k"), "completed"));
}

// Who answers now may not have all that was settled: the close of the old session gives it back. A claim that was under
// way would have retired it, too, so none is.
TEST_F(Answers, are_awaited_anew_under_another_session) {
    auto settings = quick_settings();
    settings.lease = 6s;  // longer than it takes to notice: a lease that is lost has a new session, too
    settings.queues.front().slots = 1;
    settings.queues.front().max_prefetch = 0;
    auto& running = start(
        [&](const core::Job&, std::stop_token) {
            gate.pass();
            return core::Completed{};
        },
        settings);
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    const auto session = database.value("select worker from millrace.running");
    database.execute("begin");
    database.execute("select from millrace.worker for update");
    EXPECT_TRUE(running.log().await("the database does not answer, hanging up"));
    database.execute("commit");
    ASSERT_TRUE(running.log().await("connection restored"));
    gate.open();
    EXPECT_TRUE(reaches(job, "completed"));
    EXPECT_TRUE(
        database.becomes("select count(*) from millrace.workers where state = 'alive' and id = " + session, "0"));
    EXPECT_TRUE(reaches(database.enqueue("q", "k"), "completed"));
}

}  // namespace
}  // namespace millrace::testing
