// A database that falls silent without hanging up: who notices, and who is hung up.

#include "engine/answer_watch.hpp"
#include "storage/error.hpp"
#include "storage/worker_store.hpp"
#include "support/worker_test.hpp"

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using engine::AnswerWatch;
using engine::Clock;

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

    AnswerWatch watch{100ms};
    const std::unique_ptr<storage::Session> heartbeat = database.sessions().open("heartbeat");
    const std::unique_ptr<storage::Session> settle = database.sessions().open("settle");
};

TEST_F(Answers, are_waited_for_as_long_as_heartbeats_are_answered) {
    const AnswerWatch::Waiting long_settle{watch, *settle};
    EXPECT_EQ(watch.hang_up_unanswered(Clock::now() + 1h), 0);
    { const AnswerWatch::Waiting answered{watch, *heartbeat, AnswerWatch::Statement::heartbeat}; }
    EXPECT_EQ(watch.hang_up_unanswered(Clock::now() + 1h), 0);
    EXPECT_TRUE(is_usable(*settle));
}

TEST_F(Answers, that_do_not_come_to_a_heartbeat_are_expected_from_nobody) {
    const AnswerWatch::Waiting unanswered{watch, *heartbeat, AnswerWatch::Statement::heartbeat};
    const AnswerWatch::Waiting with_it{watch, *settle};
    EXPECT_EQ(watch.hang_up_unanswered(Clock::now()), 0) << "not yet";
    const auto late = Clock::now() + 100ms;
    EXPECT_EQ(watch.hang_up_unanswered(late), 2);
    EXPECT_EQ(watch.hang_up_unanswered(late), 0) << "once";
    EXPECT_FALSE(is_usable(*heartbeat));
    EXPECT_FALSE(is_usable(*settle));
}

TEST_F(Answers, of_statements_sent_only_now_are_waited_for) {
    const AnswerWatch::Waiting unanswered{watch, *heartbeat, AnswerWatch::Statement::heartbeat};
    const auto late = Clock::now() + 100ms;
    while (Clock::now() < late)
        std::this_thread::yield();
    const AnswerWatch::Waiting fresh{watch, *settle};
    EXPECT_EQ(watch.hang_up_unanswered(late), 1);
    EXPECT_TRUE(is_usable(*settle));
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

}  // namespace
}  // namespace millrace::testing
