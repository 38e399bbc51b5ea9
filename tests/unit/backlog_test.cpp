#include "engine/backlog.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace millrace::engine {
namespace {

using namespace std::chrono_literals;

std::vector<Attempt> attempts(std::int64_t first, std::int64_t count) {
    const auto lease = std::make_shared<Lease>(core::WorkerId{1});
    std::vector<Attempt> made;
    for (std::int64_t i = 0; i < count; ++i) {
        Attempt attempt;
        attempt.job.id = core::JobId{first + i};
        attempt.lease = lease;
        made.push_back(std::move(attempt));
    }
    return made;
}

const std::stop_token never;

TEST(Backlog, has_room_for_its_slots_and_what_may_be_claimed_ahead) {
    Backlog backlog{10};
    EXPECT_EQ(backlog.await_room(never, 0, 0ms), 10U);
    EXPECT_EQ(backlog.await_room(never, 90, 0ms), 100U);
}

TEST(Backlog, asks_for_exactly_the_free_slots) {
    Backlog backlog{3};
    backlog.add(attempts(1, 3));
    EXPECT_EQ(backlog.await_room(never, 0, 0ms), 0U);
    ASSERT_TRUE(backlog.next());
    EXPECT_EQ(backlog.await_room(never, 0, 0ms), 0U) << "a running attempt occupies its slot";
    backlog.done();
    EXPECT_EQ(backlog.await_room(never, 0, 0ms), 0U) << "two wait for the other slots";
    ASSERT_TRUE(backlog.next());
    ASSERT_TRUE(backlog.next());
    EXPECT_EQ(backlog.await_room(never, 0, 0ms), 1U);
}

TEST(Backlog, lets_the_claimer_sleep_until_half_of_what_is_ahead_is_used_up) {
    Backlog backlog{2};
    backlog.add(attempts(1, 10));  // 2 + 8 ahead
    auto room = std::async(std::launch::async, [&] { return backlog.await_room(never, 8, 10s); });
    for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(backlog.next());
        backlog.done();
        EXPECT_EQ(room.wait_for(0ms), std::future_status::timeout);
    }
    ASSERT_TRUE(backlog.next());
    backlog.done();
    EXPECT_EQ(room.get(), 5U);
}

TEST(Backlog, wakes_the_claimer_when_the_last_waiting_attempt_is_taken_and_slots_are_idle) {
    Backlog backlog{3};
    backlog.add(attempts(1, 1));
    auto room = std::async(std::launch::async, [&] { return backlog.await_room(never, 0, 10s); });
    ASSERT_TRUE(backlog.next());
    EXPECT_EQ(room.get(), 2U);
}

TEST(Backlog, hands_every_attempt_to_one_executor) {
    constexpr std::int64_t total = 20'000;
    Backlog backlog{4};
    std::vector<std::vector<std::int64_t>> taken{4};
    {
        std::vector<std::jthread> executors;
        executors.reserve(taken.size());
        for (auto& mine : taken) {
            executors.emplace_back([&] {
                while (const auto attempt = backlog.next()) {
                    mine.push_back(attempt->job.id.value);
                    backlog.done();
                }
            });
        }
        for (std::int64_t first = 1; first <= total;) {
            const auto room = static_cast<std::int64_t>(backlog.await_room(never, 100, 10s));
            const auto batch = std::min(room, total - first + 1);
            backlog.add(attempts(first, batch));
            first += batch;
        }
        while (backlog.finished() < total)
            std::this_thread::yield();
        EXPECT_TRUE(backlog.close().empty());
    }
    std::vector<std::int64_t> all;
    for (const auto& mine : taken)
        all.insert(all.end(), mine.begin(), mine.end());
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), static_cast<std::size_t>(total));
    for (std::int64_t i = 0; i < total; ++i)
        ASSERT_EQ(all[static_cast<std::size_t>(i)], i + 1);
}

TEST(Backlog, starts_nothing_in_a_slot_that_was_taken_away) {
    Backlog backlog{2};
    backlog.add(attempts(1, 4));
    ASSERT_TRUE(backlog.next());
    ASSERT_TRUE(backlog.next());
    backlog.set_slots(1);
    backlog.done();
    auto third = std::async(std::launch::async, [&] { return backlog.next().has_value(); });
    EXPECT_EQ(third.wait_for(0ms), std::future_status::timeout) << "one runs, in the one slot that is left";
    backlog.done();
    EXPECT_TRUE(backlog.next()) << "an executor that ends asks for the next itself";
    backlog.set_slots(2);
    EXPECT_TRUE(third.get()) << "whoever sleeps is woken for a new slot";
    EXPECT_EQ(backlog.await_room(never, 0, 0ms), 0U);
}

TEST(Backlog, tells_the_claimer_of_new_slots) {
    Backlog backlog{1};
    backlog.add(attempts(1, 1));
    ASSERT_TRUE(backlog.next());
    auto room = std::async(std::launch::async, [&] { return backlog.await_room(never, 0, 10s); });
    EXPECT_EQ(room.wait_for(0ms), std::future_status::timeout);
    backlog.set_slots(3);
    EXPECT_EQ(room.get(), 2U);
}

TEST(Backlog, returns_what_was_never_started_when_it_closes) {
    Backlog backlog{1};
    backlog.add(attempts(1, 3));
    ASSERT_TRUE(backlog.next());
    EXPECT_EQ(backlog.close().size(), 2U);
    EXPECT_FALSE(backlog.next());
    EXPECT_FALSE(backlog.await_idle(Clock::now())) << "one is still running";
    backlog.done();
    EXPECT_TRUE(backlog.await_idle(Clock::now()));
}

TEST(Backlog, ends_the_wait_for_room_when_stop_is_requested) {
    Backlog backlog{1};
    backlog.add(attempts(1, 1));
    std::stop_source stop;
    auto room = std::async(std::launch::async, [&] { return backlog.await_room(stop.get_token(), 0, 1h); });
    stop.request_stop();
    EXPECT_EQ(room.get(), 0U);
}

}  // namespace
}  // namespace millrace::engine
