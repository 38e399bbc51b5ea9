#include "core/duration.hpp"

#include <gtest/gtest.h>

namespace millrace::core {
namespace {

using namespace std::chrono_literals;

TEST(Duration, is_a_whole_number_and_a_unit) {
    EXPECT_EQ(parse_duration("0s"), 0ms);
    EXPECT_EQ(parse_duration("500ms"), 500ms);
    EXPECT_EQ(parse_duration("30s"), 30s);
    EXPECT_EQ(parse_duration("5min"), 5min);
    EXPECT_EQ(parse_duration("1h"), 1h);
    EXPECT_EQ(parse_duration("7d"), 168h);
}

TEST(Duration, is_nothing_else) {
    for (const auto* text : {"", "5", "s", "-5s", "+5s", "5 s", " 5s", "5s ", "5m", "5S", "1h30min", "0x5s", "1.5s"}) {
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
    }
}

TEST(Duration, does_not_overflow) {
    EXPECT_EQ(parse_duration("100000d"), 2'400'000h);
    EXPECT_EQ(parse_duration("100001d"), std::nullopt);
    EXPECT_EQ(parse_duration("9223372036854775807h"), std::nullopt);
    EXPECT_EQ(parse_duration("9223372036854775808ms"), std::nullopt);
}

TEST(Duration, is_shown_in_the_largest_unit_that_divides_it) {
    EXPECT_EQ(format_duration(0ms), "0s");
    EXPECT_EQ(format_duration(1500ms), "1500ms");
    EXPECT_EQ(format_duration(90s), "90s");
    EXPECT_EQ(format_duration(120s), "2min");
    EXPECT_EQ(format_duration(48h), "2d");
}

}  // namespace
}  // namespace millrace::core
