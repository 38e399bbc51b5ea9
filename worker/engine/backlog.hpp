#pragma once
// One queue's attempts between its claimer and its executors: claimed, waiting for a free slot.
//
// Handing over must be cheap, because jobs may be shorter than a context switch: adding a batch wakes one executor, and
// each executor that finds more than it takes wakes the next, so that only as many run as there is work for. The
// claimer sleeps until there is room for a claim worth making, not for each job that ends.
//
// Thread rule: any thread; `await_room` by one claimer.

#include "engine/attempt.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

namespace millrace::engine {

class Backlog {
public:
    explicit Backlog(std::size_t slots) : slots_{slots} {}

    // Claimer: blocks until a claim is worthwhile, which it is when an executor has nothing to do, or when half of what
    // may be claimed ahead is used up. Returns how many jobs fit; 0 when `patience` ran out or stop was requested.
    [[nodiscard]] std::size_t await_room(const std::stop_token& stop, std::size_t prefetch,
                                         std::chrono::milliseconds patience);
    void add(std::vector<Attempt> attempts);
    // Claimer: takes back all that wait for a slot.
    [[nodiscard]] std::deque<Attempt> take_waiting();

    // Fewer: what runs ends, and nothing starts meanwhile that has no slot. More: there are as many executors by now.
    void set_slots(std::size_t slots);

    // Executor: the next attempt, which occupies a slot until `done`. Nothing once the backlog is closed.
    [[nodiscard]] std::optional<Attempt> next();
    void done();

    // Whether some are waiting for a slot: if not, the last results are worth settling at once.
    [[nodiscard]] bool has_waiting() const noexcept { return waiting_count_.load(std::memory_order_relaxed) > 0; }
    [[nodiscard]] std::uint64_t finished() const;

    // No executor is given any more; returns those that were never started.
    [[nodiscard]] std::deque<Attempt> close();
    // True once no attempt occupies a slot; false when that is not so by `deadline`.
    [[nodiscard]] bool await_idle(Clock::time_point deadline);

private:
    [[nodiscard]] std::size_t room(std::size_t prefetch) const;
    [[nodiscard]] bool has_work() const { return !waiting_.empty() && running_ < slots_; }
    void wake_one_executor();
    void tell_claimer();

    std::atomic<std::size_t> waiting_count_{0};  // written under the mutex

    mutable std::mutex mutex_;  // protects all below
    std::condition_variable work_;
    std::condition_variable_any room_;
    std::condition_variable idle_;
    std::size_t slots_;
    std::deque<Attempt> waiting_;
    std::size_t running_ = 0;
    std::size_t sleeping_executors_ = 0;
    bool waking_ = false;  // an executor has been woken and has not looked yet
    std::uint64_t finished_ = 0;
    std::optional<std::size_t> wanted_prefetch_;  // the claimer waits for room
    bool closed_ = false;
};

}  // namespace millrace::engine
