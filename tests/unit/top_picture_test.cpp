#include "cli/top_picture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>

namespace millrace::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Snapshot sample(int queues) {
    Snapshot snapshot;
    snapshot.live.database = "shop";
    for (int at = 0; at < queues; ++at) {
        snapshot.queues.push_back({.name = "queue_" + std::to_string(at),
                                   .available = at,
                                   .running = at == 3 ? 100 : 0,
                                   .oldest_age_seconds = {},
                                   .paused_at = {},
                                   .max_running = {},
                                   .rate = {}});
    }
    snapshot.completed_per_second["queue_3"] = 41.7;
    snapshot.live.running.push_back({.id = {17},
                                     .queue = "queue_3",
                                     .kind = "email\x1b[2J.send",
                                     .worker = "host-1",
                                     .attempt = 2,
                                     .max_attempts = 5,
                                     .seconds = 65,
                                     .percent = 40,
                                     .message = "half\nway"});
    snapshot.live.workers.push_back({.name = "host-1", .state = "overdue", .queues = "queue_3", .version = "0.1.0"});
    snapshot.alarms.push_back(
        {.severity = "critical", .finding = "pinned_horizon", .about = "pid 1", .detail = "old", .remedy = "end it"});
    return snapshot;
}

Frame frame(std::size_t width, std::size_t height) {
    return {.screen = {.is_terminal = true, .has_colours = false, .width = width}, .height = height, .age_seconds = 7};
}

auto lines_of(const std::string& picture) {
    return static_cast<std::size_t>(std::count(picture.begin(), picture.end(), '\n'));
}

TEST(Picture, shows_queues_jobs_workers_and_alarms_and_how_old_they_are) {
    const auto picture = picture_of(sample(4), frame(120, 40));
    EXPECT_THAT(picture, HasSubstr("millrace top  shop  data 7 s old"));
    EXPECT_THAT(picture, HasSubstr("critical"));
    EXPECT_THAT(picture, HasSubstr("email [2J.send"));
    EXPECT_THAT(picture, HasSubstr("40 % half way"));
    EXPECT_THAT(picture, HasSubstr("overdue"));
    EXPECT_THAT(picture, HasSubstr("42"));
    EXPECT_THAT(picture, Not(HasSubstr("\x1b")));
    EXPECT_LT(picture.find("queue_3"), picture.find("queue_2"));  // the busiest first
}

TEST(Picture, never_has_more_lines_than_the_terminal) {
    for (std::size_t height = 1; height < 60; ++height) {
        const auto picture = picture_of(sample(30), frame(80, height));
        EXPECT_LE(lines_of(picture), height);
        EXPECT_THAT(picture, HasSubstr("data 7 s old"));
    }
    EXPECT_THAT(picture_of(sample(30), frame(80, 20)), HasSubstr("Queues (3 of 30)"));
    EXPECT_THAT(picture_of(sample(30), frame(80, 60)), HasSubstr("Queues\n"));
}

TEST(Picture, is_whole_and_without_a_head_where_there_is_no_terminal) {
    const auto picture = picture_of(sample(300), {.screen = {}});
    EXPECT_THAT(picture, Not(HasSubstr("q quits")));
    EXPECT_THAT(picture, HasSubstr("queue_299"));
}

TEST(Picture, has_colours_only_where_they_are_wanted) {
    auto coloured = frame(80, 24);
    coloured.screen.has_colours = true;
    EXPECT_THAT(picture_of(sample(4), coloured), HasSubstr("\x1b[31m"));
}

TEST(Picture, is_json_for_programs) {
    std::ostringstream out;
    print_json(out, sample(2));
    const auto json = nlohmann::json::parse(out.str());
    EXPECT_EQ(json["queues"].size(), 2U);
    EXPECT_EQ(json["running"][0]["percent"], 40);
    EXPECT_EQ(json["running"][0]["kind"], "email\x1b[2J.send");
    EXPECT_EQ(json["workers"][0]["state"], "overdue");
    EXPECT_EQ(json["alarms"][0]["finding"], "pinned_horizon");
}

}  // namespace
}  // namespace millrace::cli
