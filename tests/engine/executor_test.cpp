#include "engine/executor.hpp"

#include "support/database.hpp"
#include "support/log_watch.hpp"
#include "support/running_worker.hpp"

#include <gtest/gtest.h>

namespace millrace::testing {
namespace {

// No database unless one is named: what an executor does before anything is settled.
class ExecutorTest : public ::testing::Test {
protected:
    explicit ExecutorTest(const std::string& conninfo = "host=/nonexistent") : sessions{conninfo} {
        registry.add("k", handler([this](const core::Job&, std::stop_token) {
                         ++runs;
                         return core::Completed{};
                     }));
        registry.add("t", transactional_handler([this](const core::Job&, storage::Transaction&, std::stop_token) {
                         ++runs;
                         meanwhile();
                         return core::Completed{};
                     }));
    }
    void run(bool lease_is_lost, const std::string& kind = "k",
             const std::shared_ptr<const engine::JobTrace>& trace = nullptr) {
        const auto lease = std::make_shared<engine::Lease>(core::WorkerId{1});
        lease->lost = lease_is_lost;
        engine::Attempt attempt;
        attempt.job.kind = kind;
        attempt.lease = lease;
        attempt.tally = &counts.tally(kind);
        attempt.trace = trace;
        backlog.add({attempt});
        std::jthread thread{[&] { executor.run(); }};
        while (backlog.finished() == 0)
            std::this_thread::yield();
        std::ignore = backlog.close();
    }

    int runs = 0;
    LogWatch log;
    std::function<void()> meanwhile = [] {};
    storage::SessionFactory sessions;
    engine::Registry registry;
    engine::Stats stats;
    engine::QueueStats counts{"q", {"k"}};
    engine::AnswerWatch answers{std::chrono::hours{1}};
    engine::Completer completer{sessions, [] {}, answers, stats, log.log()};
    engine::Complaints complaints;
    engine::Spans spans;
    engine::PayloadSchemas schemas{{}};
    engine::Backlog backlog{1};
    engine::RunningAttempts attempts;
    engine::AttemptLog attempt_log{log.log(), "test"};
    engine::Executor executor{{sessions, registry, completer, attempts, schemas, complaints, answers, stats, counts,
                               log.log(), attempt_log, std::chrono::seconds{5}, &spans},
                              backlog,
                              attempts.add_slot()};
};

TEST_F(ExecutorTest, starts_nothing_under_a_lease_that_is_lost) {
    run(true);
    EXPECT_EQ(runs, 0);
    EXPECT_EQ(stats.lost, 1U);
    EXPECT_EQ(log.count("attempt void"), 1U);
}

TEST_F(ExecutorTest, starts_nothing_that_was_cancelled_before_its_turn) {
    attempts.cancel({{core::Fence{}, core::JobId{}}});
    run(false);
    EXPECT_EQ(runs, 0);
    EXPECT_EQ(stats.lost, 0U);
}

TEST_F(ExecutorTest, tells_of_a_traced_attempt_that_it_did_not_start) {
    const auto trace = std::make_shared<const engine::JobTrace>();
    run(true, "k", trace);
    const auto told = spans.take(3, {}, {});
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].name, "settle ");
    EXPECT_EQ(told[0].error, "lost");
    EXPECT_EQ(told[1].name, "run ");
}

TEST_F(ExecutorTest, runs_what_is_held) {
    run(false);
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(stats.lost, 0U);
}

TEST_F(ExecutorTest, counts_no_attempt_that_could_not_begin_for_lack_of_a_connection) {
    run(false, "t");
    EXPECT_EQ(runs, 0);
    EXPECT_EQ(log.count("cannot connect"), 1U);
    EXPECT_EQ(log.count("attempt failed") + log.count("last attempt failed"), 0U) << log.text();
}

struct WithDatabase {
    Database database;
};

class ExecutorAmidSilence : private WithDatabase, public ExecutorTest {
protected:
    ExecutorAmidSilence() : ExecutorTest{database.worker_conninfo()} {}
    void fall_silent() {
        const auto heartbeat = database.sessions().open("heartbeat");
        {
            const engine::AnswerWatch::Waiting unanswered{answers, *heartbeat, engine::AnswerWatch::Speaker::heartbeat};
            hung_up = answers.hang_up_unanswered(engine::Clock::now() + std::chrono::hours{1});
        }
        answers.note_answer();  // by the server that is the primary now
    }

    int hung_up = 0;
};

TEST_F(ExecutorAmidSilence, settles_nothing_over_the_connection_from_before) {
    meanwhile = [this] { fall_silent(); };
    run(false, "t");
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(hung_up, 2) << "the heartbeat, and the attempt, whose handler did not talk to the database";
    EXPECT_EQ(log.count("connection lost"), 1U) << log.text();
    EXPECT_EQ(log.count("lease lost, the effects were rolled back"), 0U) << "the old server was asked";
}

}  // namespace
}  // namespace millrace::testing
