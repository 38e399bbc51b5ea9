#include "core/nearest.hpp"

#include <gtest/gtest.h>

namespace millrace::core {
namespace {

const std::vector<std::string> commands{"migrate", "worker", "enqueue", "jobs", "queues"};

TEST(Nearest, sees_through_a_missing_an_extra_a_wrong_and_two_swapped_letters) {
    EXPECT_EQ(nearest("wrker", commands), "worker");
    EXPECT_EQ(nearest("workerr", commands), "worker");
    EXPECT_EQ(nearest("worter", commands), "worker");
    EXPECT_EQ(nearest("wroker", commands), "worker");
}

TEST(Nearest, takes_the_beginning_of_a_word_for_the_word) {
    EXPECT_EQ(nearest("mig", commands), "migrate");
}

TEST(Nearest, does_not_guess_wildly) {
    EXPECT_EQ(nearest("frobnicate", commands), std::nullopt);
    EXPECT_EQ(nearest("xyz", commands), std::nullopt);
    EXPECT_EQ(nearest("", commands), std::nullopt);
    EXPECT_EQ(nearest(std::string(10'000, 'w'), commands), std::nullopt);
}

}  // namespace
}  // namespace millrace::core
