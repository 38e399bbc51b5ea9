// What a payload of forks.sync may say of its run; the rest is in tests/handlers/forks_sync_test.cpp.

#include "handlers/forks/payload.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace millrace::handlers::forks {
namespace {

std::variant<storage::ForkBranch, PayloadProblem> read(const std::string& run) {
    return read_fork_branch(R"({"fork": "acme/widget", "branch": "main", "run": )" + run + "}");
}

TEST(ForkPayload, takes_every_number_that_a_run_can_have) {
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(std::get<storage::ForkBranch>(read("17")).run, 17);
    EXPECT_EQ(std::get<storage::ForkBranch>(read(std::to_string(largest))).run, largest);
    EXPECT_EQ(std::get<storage::ForkBranch>(read("null")).run, std::nullopt);
}

TEST(ForkPayload, refuses_a_number_that_would_be_read_as_another) {
    for (const auto* run : {"9223372036854775808", "18446744073709551615", "17.5"}) {
        const auto refused = read(run);
        ASSERT_TRUE(std::holds_alternative<PayloadProblem>(refused)) << run;
        EXPECT_EQ(std::get<PayloadProblem>(refused).text,
                  "payload key \"run\": must be the number of a run, or left out");
    }
}

}  // namespace
}  // namespace millrace::handlers::forks
