#include "cli/joint_end.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace millrace::cli {
namespace {

void await_stop(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    never.wait(lock, stop, [] { return false; });
}

TEST(JointEndTest, is_there_when_the_last_one_has_drained) {
    int ends = 0;
    JointEnd end{2, [&] { ++ends; }};
    end.note_drained();
    EXPECT_EQ(ends, 0);
    EXPECT_FALSE(end.token().stop_requested()) << "who has nothing to do keeps nobody from working";
    end.note_drained();
    EXPECT_EQ(ends, 1);
    EXPECT_FALSE(end.failure());
}

TEST(JointEndTest, comes_for_all_when_one_fails_and_its_failure_is_that_of_all) {
    int ends = 0;
    JointEnd end{3, [&] { ++ends; }};
    end.note_failed(std::make_exception_ptr(std::runtime_error{"the first"}));
    EXPECT_TRUE(end.token().stop_requested());
    end.note_failed(std::make_exception_ptr(std::runtime_error{"the second"}));
    EXPECT_EQ(ends, 0) << "another one still drains";
    end.note_drained();
    EXPECT_EQ(ends, 1);
    try {
        std::rethrow_exception(end.failure());
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "the first");
    }
}

// A process that leaves a handler behind while another work drains until it is told to stop, and then in the way of
// `last`.
template <class Last>
[[noreturn]] void leave_while_another_drains(Exit exit, Last last) {
    JointEnd end{2, [] {}};
    const std::jthread other{[&] {
        await_stop(end.token());
        std::fputs("drained", stderr);
        last(end);
    }};
    end.leave(exit);
}

TEST(JointEndDeathTest, of_a_process_that_leaves_a_handler_behind_waits_for_the_drain_of_the_others) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto drains = [](JointEnd& end) { end.note_drained(); };
    EXPECT_EXIT(leave_while_another_drains(Exit::done, drains), ::testing::ExitedWithCode(0), "drained");
    EXPECT_EXIT(leave_while_another_drains(Exit::failed, drains), ::testing::ExitedWithCode(1), "drained");
    EXPECT_EXIT(leave_while_another_drains(Exit::done, [](JointEnd& end) { end.leave(Exit::done); }),
                ::testing::ExitedWithCode(0), "drained");
    const auto fails = [](JointEnd& end) { end.note_failed(std::make_exception_ptr(std::runtime_error{"x"})); };
    EXPECT_EXIT(leave_while_another_drains(Exit::done, fails), ::testing::ExitedWithCode(1), "drained");
}

}  // namespace
}  // namespace millrace::cli
