#include "cli/workers.hpp"

#include "support/log_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>

namespace millrace::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

engine::WorkerSettings settings_for(const std::string& queue) {
    engine::WorkerSettings settings;
    settings.queues.push_back({.name = queue});
    return settings;
}

// Workers that nobody has told to run.
class WorkersTest : public ::testing::Test {
protected:
    const std::array<std::string, 2> names{"east", "west"};
    testing::LogWatch log;
    engine::Registry registry;
    storage::SessionFactory sessions{""};
    engine::Worker worker{sessions, registry, settings_for("q"), log.log()};
    Workers workers{names};
};

TEST_F(WorkersTest, are_neither_ready_nor_hanging_before_they_have_begun) {
    EXPECT_FALSE(workers.state().is_ready);
    EXPECT_TRUE(workers.state().is_alive);
    const Workers::Place east{workers, 0, worker, "1.1"};
    EXPECT_FALSE(workers.state().is_ready);
    EXPECT_TRUE(workers.state().is_alive);
}

TEST_F(WorkersTest, of_one_database_have_one_name) {
    std::optional<Workers::Place> east;
    east.emplace(workers, 0, worker, "1.1");
    EXPECT_THAT(
        [&] {
            (Workers::Place{workers, 1, worker, "1.1"});
        },
        ThrowsMessage<std::runtime_error>(HasSubstr("served as east already")));
    east.reset();
    const Workers::Place west{workers, 1, worker, "1.1"};
    EXPECT_NO_THROW((Workers::Place{workers, 0, worker, "1.2"}));
}

}  // namespace
}  // namespace millrace::cli
