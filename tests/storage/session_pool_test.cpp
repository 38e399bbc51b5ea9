#include "storage/session_pool.hpp"

#include "storage/error.hpp"
#include "storage/translation.hpp"
#include "support/database.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace millrace::storage {
namespace {

using namespace std::chrono_literals;

int backend_of(Session& session) {
    return execute(session, "select pg_backend_pid()").at(0).at(0).as<int>();
}

class SessionPoolTest : public ::testing::Test {
protected:
    // The server's process behind the next session that is lent.
    int next_backend(const std::string& purpose = "test") {
        const auto session = pool_.lend(purpose);
        return backend_of(*session);
    }
    bool are_open(int number) {
        return database_.becomes(
            "select count(*) from pg_stat_activity"
            " where datname = current_database() and application_name in ('millrace test', 'millrace other')",
            std::to_string(number));
    }
    void lend_many(SessionPool& pool, int number) {
        std::vector<std::thread> threads;
        threads.reserve(static_cast<std::size_t>(number));
        std::atomic<int> holding{0};
        for (int i = 0; i < number; ++i) {
            threads.emplace_back([&] {
                const auto session = pool.lend("test");
                ++holding;
                holding.notify_all();
                for (auto held = holding.load(); held < number; held = holding.load())
                    holding.wait(held);
            });
        }
        for (auto& thread : threads)
            thread.join();
    }

    testing::Database database_;
    SessionPool pool_{database_.sessions()};
};

TEST_F(SessionPoolTest, lends_again_what_was_taken_back) {
    const auto first = next_backend();
    EXPECT_EQ(next_backend(), first);
    {
        const auto held = pool_.lend("test");
        EXPECT_EQ(backend_of(*held), first);
        EXPECT_NE(next_backend(), first) << "one at a time has it";
    }
    EXPECT_TRUE(are_open(2));
}

TEST_F(SessionPoolTest, keeps_purposes_apart) {
    const auto first = next_backend();
    {
        const auto other = pool_.lend("other");
        EXPECT_EQ(execute(*other, "show application_name").at(0).at(0).as<std::string>(), "millrace other");
        EXPECT_NE(backend_of(*other), first);
    }
    EXPECT_EQ(next_backend(), first);
}

TEST_F(SessionPoolTest, lends_none_that_the_server_has_ended) {
    const auto first = next_backend();
    ASSERT_EQ(database_.terminate("millrace test"), 1);
    ASSERT_TRUE(are_open(0));
    EXPECT_NE(next_backend(), first) << "nothing is thrown";
}

TEST_F(SessionPoolTest, lends_none_that_was_idle_for_longer_than_the_server_allows) {
    int first = 0;
    {
        const auto session = pool_.lend("test");
        first = backend_of(*session);
        execute(*session, "set idle_session_timeout = '1ms'");
    }
    ASSERT_TRUE(are_open(0));
    EXPECT_NE(next_backend(), first);
}

TEST_F(SessionPoolTest, lends_none_that_was_hung_up) {
    const auto first = next_backend();
    {
        const auto session = pool_.lend("test");
        (*session).hang_up();
    }
    EXPECT_NE(next_backend(), first);
}

TEST_F(SessionPoolTest, takes_back_none_that_an_exception_has_passed_by) {
    const auto first = next_backend();
    EXPECT_THROW(
        {
            const auto session = pool_.lend("test");
            execute(*session, "select 1 / 0");
        },
        Error);
    EXPECT_TRUE(are_open(0));
    EXPECT_NE(next_backend(), first);
}

TEST_F(SessionPoolTest, takes_back_one_whose_transaction_was_not_committed) {
    const auto first = next_backend();
    {
        const auto session = pool_.lend("test");
        Transaction transaction{*session};
        execute(transaction, "create temp table left_behind ()");
    }
    const auto session = pool_.lend("test");
    EXPECT_EQ(backend_of(*session), first);
    EXPECT_TRUE(execute(*session, "select to_regclass('left_behind')").at(0).at(0).is_null());
}

TEST_F(SessionPoolTest, keeps_a_few_idle_ones_however_many_were_lent) {
    constexpr int slots = 16;
    lend_many(pool_, slots);
    EXPECT_TRUE(are_open(4));
}

TEST_F(SessionPoolTest, closes_what_has_been_idle_for_long_when_the_next_one_is_lent) {
    SessionPool pool{database_.sessions(), {.most_idle = 4, .longest_idle = 0ms}};
    lend_many(pool, 3);
    ASSERT_TRUE(are_open(3));
    const auto session = pool.lend("other");
    EXPECT_TRUE(are_open(1));
}

TEST_F(SessionPoolTest, opens_nothing_by_itself_and_says_when_it_cannot) {
    EXPECT_TRUE(are_open(0));
    SessionPool nowhere{SessionFactory{"host=/nonexistent"}};
    EXPECT_THROW(std::ignore = backend_of(*nowhere.lend("test")), ConnectionLost);
}

TEST_F(SessionPoolTest, serves_many_threads_while_the_server_ends_what_is_idle) {
    constexpr int rounds = 50;
    std::atomic<int> answered{0};
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < rounds; ++round) {
                try {
                    const auto session = pool_.lend("test");
                    execute(*session, "select 1");
                    ++answered;
                } catch (const ConnectionLost&) {  // it was ended while it was at work
                }
            }
        });
    }
    database_.terminate("millrace test");
    for (auto& thread : threads)
        thread.join();
    EXPECT_GE(answered, 4 * rounds - 4) << "one each, at most, was at work when it was ended";
    EXPECT_NO_THROW(next_backend());
}

}  // namespace
}  // namespace millrace::storage
