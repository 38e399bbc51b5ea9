#include "engine/prefetch.hpp"

#include <gtest/gtest.h>

namespace millrace::engine {
namespace {

using namespace std::chrono_literals;

TEST(Prefetch, is_nothing_while_nothing_is_known) {
    Prefetch prefetch{10, 1000};
    EXPECT_EQ(prefetch.update(Prefetch::Time{1h}, 0), 0U);
}

TEST(Prefetch, is_what_fifty_milliseconds_finish) {
    Prefetch prefetch{10, 1000};
    std::ignore = prefetch.update(Prefetch::Time{1h}, 0);
    EXPECT_EQ(prefetch.update(Prefetch::Time{1h} + 100ms, 800), 400U);
}

TEST(Prefetch, is_nothing_when_a_slot_finishes_less_than_one_in_that_time) {
    Prefetch prefetch{10, 1000};
    std::ignore = prefetch.update(Prefetch::Time{1h}, 0);
    EXPECT_EQ(prefetch.update(Prefetch::Time{1h} + 100ms, 18), 0U);
}

TEST(Prefetch, stays_within_its_limit) {
    Prefetch prefetch{10, 100};
    std::ignore = prefetch.update(Prefetch::Time{1h}, 0);
    EXPECT_EQ(prefetch.update(Prefetch::Time{1h} + 50ms, 100'000), 100U);
}

TEST(Prefetch, is_no_more_than_there_is_memory_for) {
    Prefetch prefetch{10, 1000};
    prefetch.note_payloads(4, std::size_t{4} << 20U);
    std::ignore = prefetch.update(Prefetch::Time{1h}, 0);
    EXPECT_EQ(prefetch.update(Prefetch::Time{1h} + 50ms, 100'000), 64U) << "64 MiB of payloads of 1 MiB";
    prefetch.note_payloads(100, 0);
    EXPECT_EQ(prefetch.update(Prefetch::Time{1h} + 100ms, 200'000), 1000U);
}

TEST(Prefetch, grows_before_the_window_ends_and_shrinks_after_it) {
    Prefetch prefetch{10, 1000};
    std::ignore = prefetch.update(Prefetch::Time{1h}, 0);
    EXPECT_EQ(prefetch.update(Prefetch::Time{1h} + 5ms, 300), 300U);
    EXPECT_EQ(prefetch.update(Prefetch::Time{1h} + 60ms, 301), 250U);
    EXPECT_EQ(prefetch.update(Prefetch::Time{1h} + 200ms, 301), 0U);
}

}  // namespace
}  // namespace millrace::engine
