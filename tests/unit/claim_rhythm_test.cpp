#include "engine/claim_rhythm.hpp"

#include <gtest/gtest.h>

namespace millrace::engine {
namespace {

using namespace std::chrono_literals;
using Next = ClaimRhythm::Next;

class Rhythm : public ::testing::Test {
protected:
    ClaimRhythm::Step claim(std::size_t jobs) { return rhythm.after_claim(now, jobs); }
    void pass(std::chrono::milliseconds time) { now += time; }

    // From nothing known to the first sleep.
    void fall_asleep() {
        ASSERT_EQ(claim(0).next, Next::raise);
        ASSERT_EQ(claim(0).next, Next::sleep);
    }

    ClaimRhythm rhythm{5000ms, Listening::on};
    ClaimRhythm::Time now{1h};
};

TEST_F(Rhythm, claims_again_at_once_while_there_are_jobs) {
    EXPECT_EQ(claim(1).next, Next::claim);
    EXPECT_EQ(claim(100).next, Next::claim);
}

TEST_F(Rhythm, raises_the_flag_and_claims_once_more_before_it_sleeps) {
    EXPECT_EQ(claim(0).next, Next::raise);
    const auto step = claim(0);
    EXPECT_EQ(step.next, Next::sleep);
    EXPECT_EQ(step.duration, 5ms);
}

TEST_F(Rhythm, sleeps_twice_as_long_each_time_up_to_the_poll_interval) {
    fall_asleep();
    for (auto expected = 10ms; expected < 5000ms; expected *= 2)
        EXPECT_EQ(claim(0).duration, expected);
    EXPECT_EQ(claim(0).duration, 5000ms);
    EXPECT_EQ(claim(0).duration, 5000ms);
}

TEST_F(Rhythm, begins_with_short_sleeps_again_after_a_job) {
    fall_asleep();
    for (int i = 0; i < 8; ++i)
        std::ignore = claim(0);
    ASSERT_EQ(claim(1).next, Next::claim);
    EXPECT_EQ(claim(0).next, Next::raise);
    EXPECT_EQ(claim(0).duration, 5ms);
}

TEST_F(Rhythm, looks_three_times_before_it_raises_the_flag_of_a_queue_that_was_just_busy) {
    std::ignore = claim(10);
    for (int i = 0; i < 3; ++i) {
        pass(2ms);
        const auto step = claim(0);
        EXPECT_EQ(step.next, Next::sleep);
        EXPECT_EQ(step.duration, 2ms);
    }
    pass(2ms);
    EXPECT_EQ(claim(0).next, Next::raise);
}

TEST_F(Rhythm, raises_at_once_when_the_last_job_was_long_ago) {
    std::ignore = claim(10);
    pass(250ms);
    EXPECT_EQ(claim(0).next, Next::raise);
}

TEST_F(Rhythm, lowers_the_flag_only_after_a_quarter_second_without_an_empty_claim) {
    fall_asleep();
    EXPECT_EQ(claim(1).next, Next::claim);
    pass(249ms);
    EXPECT_EQ(claim(1).next, Next::claim);
    pass(1ms);
    EXPECT_EQ(claim(1).next, Next::lower);
    pass(1ms);
    EXPECT_EQ(claim(1).next, Next::claim) << "it is down already";
}

// Each job finds the claimer asleep, because its producer has waited for the notification of the one before.
TEST_F(Rhythm, lowers_the_flag_in_a_rush_although_each_second_claim_is_empty) {
    fall_asleep();
    for (int job = 1; job < 50; ++job) {
        ASSERT_EQ(claim(1).next, Next::claim) << job;
        ASSERT_EQ(claim(0).next, Next::raise) << job;
        ASSERT_EQ(claim(0).next, Next::sleep) << job;
        pass(4ms);
    }
    EXPECT_EQ(claim(1).next, Next::lower);
    EXPECT_EQ(claim(0).duration, 2ms) << "it looks, and asks for no notification";
    EXPECT_EQ(claim(1).next, Next::claim);
    for (const auto expected : {2ms, 4ms, 8ms, 16ms}) {
        EXPECT_EQ(claim(0).duration, expected);
        pass(expected);
    }
    EXPECT_EQ(claim(0).next, Next::raise);
}

TEST_F(Rhythm, leaves_the_flag_up_for_a_trickle) {
    fall_asleep();
    for (int i = 0; i < 100; ++i) {
        pass(100ms);
        EXPECT_EQ(claim(1).next, Next::claim);
        EXPECT_EQ(claim(0).next, Next::raise);  // says again that it is up: somebody else may have lowered it
        EXPECT_EQ(claim(0).next, Next::sleep);
    }
}

TEST_F(Rhythm, lowers_ever_more_rarely_when_it_was_too_soon) {
    const auto lowered_within = [&](std::chrono::milliseconds limit) {
        for (auto spent = 0ms; spent <= limit; spent += 50ms) {
            if (claim(1).next == Next::lower) return spent;
            pass(50ms);
        }
        return -1ms;
    };
    fall_asleep();
    EXPECT_EQ(lowered_within(1s), 250ms);
    pass(300ms);
    ASSERT_EQ(claim(0).next, Next::raise);  // too soon: the pause doubles to 2 s
    EXPECT_GE(lowered_within(5s), 1500ms);
    pass(300ms);
    ASSERT_EQ(claim(0).next, Next::raise);  // 4 s
    EXPECT_GE(lowered_within(10s), 3500ms);
}

TEST_F(Rhythm, raises_the_flag_anew_with_every_sixth_long_poll) {
    fall_asleep();
    while (claim(0).duration < 5000ms) {
    }
    for (int poll = 2; poll <= 6; ++poll)
        EXPECT_EQ(claim(0).next, Next::sleep);
    EXPECT_EQ(claim(0).next, Next::raise);
    EXPECT_EQ(claim(0).duration, 5000ms);
}

TEST_F(Rhythm, raises_the_flag_anew_after_the_connection_was_lost) {
    fall_asleep();
    rhythm.forget();
    EXPECT_EQ(claim(0).next, Next::raise);
}

TEST(RhythmWithoutNotifications, never_touches_the_flag) {
    ClaimRhythm rhythm{1000ms, Listening::off};
    ClaimRhythm::Time now{1h};
    for (int i = 0; i < 1000; ++i) {
        const auto next = rhythm.after_claim(now, i % 100 < 50 ? 1 : 0).next;
        EXPECT_TRUE(next == Next::claim || next == Next::sleep);
        now += 10ms;
    }
}

}  // namespace
}  // namespace millrace::engine
