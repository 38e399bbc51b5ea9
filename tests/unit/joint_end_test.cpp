#include "cli/joint_end.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
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

std::exception_ptr failure(const char* text) {
    return std::make_exception_ptr(std::runtime_error{text});
}

std::string text_of(const std::exception_ptr& failure) {
    if (!failure) return "";
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        return error.what();
    }
}

TEST(JointEndTest, is_not_there_while_one_that_has_failed_may_try_again) {
    JointEnd end{2, [] {}};
    EXPECT_TRUE(end.note_failed(failure("of one")));
    EXPECT_FALSE(end.token().stop_requested()) << "what is wrong with one is nothing to the other";
    end.note_trying();
    EXPECT_TRUE(end.note_failed(failure("of the other, while the first one tries")));
    EXPECT_EQ(text_of(end.failure()), "");
}

TEST(JointEndTest, comes_when_all_have_failed) {
    int ends = 0;
    JointEnd end{3, [&] { ++ends; }};
    EXPECT_TRUE(end.note_failed(failure("the first")));
    EXPECT_TRUE(end.note_failed(failure("the second")));
    EXPECT_FALSE(end.note_failed(failure("the last")));
    EXPECT_TRUE(end.token().stop_requested());
    end.note_drained();
    end.note_drained();
    EXPECT_EQ(ends, 0) << "one of those that wait for another try has yet to hear of it";
    end.note_drained();
    EXPECT_EQ(ends, 1);
    EXPECT_EQ(text_of(end.failure()), "the last");
}

TEST(JointEndTest, of_a_single_work_is_its_first_failure) {
    JointEnd end{1, [] {}};
    EXPECT_FALSE(end.note_failed(failure("of all")));
    EXPECT_EQ(text_of(end.failure()), "of all");
}

TEST(JointEndTest, has_failed_with_one_that_fails_in_its_drain) {
    JointEnd end{2, [] {}};
    end.request_stop();
    EXPECT_FALSE(end.note_failed(failure("while it drained")));
    EXPECT_EQ(text_of(end.failure()), "while it drained");
}

// A process that leaves a handler behind while another work drains until it is told to stop, and then in the way of
// `last`.
template <class Last>
[[noreturn]] void leave_while_another_drains(Exit exit, Last last) {
    JointEnd end{2, [] {}};
    const std::jthread other{[&] {
        await_stop(end.token());
        (void)std::fputs("drained", stderr);
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
    const auto fails = [](JointEnd& end) {
        if (!end.note_failed(failure("while it drained"))) end.note_drained();
    };
    EXPECT_EXIT(leave_while_another_drains(Exit::done, fails), ::testing::ExitedWithCode(1), "drained");
}

}  // namespace
}  // namespace millrace::cli
