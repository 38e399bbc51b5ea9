#include "engine/histogram.hpp"

#include "engine/queue_stats.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace millrace::engine {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

constexpr std::array<std::uint64_t, 3> bounds{0, 10, 100};

std::vector<std::uint64_t> counts_of(const Histogram& histogram) {
    std::vector<std::uint64_t> counts;
    for (std::size_t bucket = 0; bucket <= histogram.bounds().size(); ++bucket)
        counts.push_back(histogram.count(bucket));
    return counts;
}

TEST(Histogram, counts_nothing_before_the_first_value) {
    const Histogram histogram{bounds};
    EXPECT_THAT(counts_of(histogram), ElementsAre(0, 0, 0, 0));
    EXPECT_EQ(histogram.sum(), 0U);
}

TEST(Histogram, counts_a_bound_in_the_bucket_below_it_and_what_is_beyond_the_last_in_one_more) {
    Histogram histogram{bounds};
    for (const std::uint64_t value : {0U, 1U, 10U, 11U, 100U, 101U, 1'000'000U})
        histogram.observe(value);
    EXPECT_THAT(counts_of(histogram), ElementsAre(1, 2, 2, 2));
    EXPECT_EQ(histogram.sum(), 1'000'223U);
}

TEST(Histogram, counts_durations_in_whole_microseconds) {
    Histogram histogram{bounds};
    histogram.observe(11us);
    histogram.observe(999ns);
    histogram.observe(1ms);
    EXPECT_THAT(counts_of(histogram), ElementsAre(1, 0, 1, 1));
    EXPECT_EQ(histogram.sum(), 1011U);
}

TEST(Histogram, takes_a_negative_duration_for_none) {
    Histogram histogram{bounds};
    histogram.observe(-5s);
    EXPECT_THAT(counts_of(histogram), ElementsAre(1, 0, 0, 0));
    EXPECT_EQ(histogram.sum(), 0U);
}

TEST(Histogram, loses_no_value_of_many_threads) {
    Histogram histogram{bounds};
    {
        std::vector<std::jthread> observers;
        observers.reserve(4);
        for (int i = 0; i < 4; ++i) {
            observers.emplace_back([&] {
                for (int n = 0; n < 10'000; ++n)
                    histogram.observe(std::uint64_t{50});
            });
        }
    }
    EXPECT_THAT(counts_of(histogram), ElementsAre(0, 0, 40'000, 0));
    EXPECT_EQ(histogram.sum(), 2'000'000U);
}

TEST(QueueStats, has_bounds_that_ascend) {
    const auto ascends = [](const auto& all) {
        return std::adjacent_find(all.begin(), all.end(), std::greater_equal{}) == all.end();
    };
    EXPECT_TRUE(ascends(QueueStats::duration_bounds));
    EXPECT_TRUE(ascends(QueueStats::batch_bounds));
}

TEST(QueueStats, counts_kinds_that_nobody_registered_together) {
    QueueStats stats{"q", {"known"}};
    stats.tally("known").lost += 1;
    stats.tally("invented").lost += 2;
    stats.tally("also invented").lost += 3;
    std::vector<std::string> told;
    stats.each_kind(
        [&](const std::string& kind, const Tally& tally) { told.push_back(kind + " " + std::to_string(tally.lost)); });
    EXPECT_THAT(told, ElementsAre("known 1", "other 5"));
}

}  // namespace
}  // namespace millrace::engine
