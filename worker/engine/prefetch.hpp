#pragma once
// How many jobs to claim ahead of free slots: about what was finished in the last 50 ms, so that executors have work
// while the next claim is under way. Nothing when jobs take longer than that: a job claimed ahead would wait here
// although another worker might have a free slot.
//
// Thread rule: one thread at a time; `set_slots` and `set_limit` by any.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace millrace::engine {

class Prefetch {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds window{50};

    Prefetch(std::size_t slots, std::size_t limit) : slots_{slots}, limit_{limit} {}

    void set_slots(std::size_t slots) noexcept { slots_ = slots; }
    void set_limit(std::size_t limit) noexcept { limit_ = limit; }

    // `finished` counts from the start of the worker.
    [[nodiscard]] std::size_t update(Time now, std::uint64_t finished) {
        const auto lately = static_cast<double>(finished - finished_at_mark_);
        const auto elapsed = now - mark_;
        if (elapsed >= window) {
            pace_ = lately * (std::chrono::duration<double>{window} / std::chrono::duration<double>{elapsed});
            mark_ = now;
            finished_at_mark_ = finished;
        } else {
            pace_ = std::max(pace_, lately);  // grows as soon as it is seen, without waiting for the window's end
        }
        const auto ahead = static_cast<std::size_t>(pace_);
        return ahead < slots_ ? 0 : std::min(ahead, limit_.load());
    }

private:
    std::atomic<std::size_t> slots_;
    std::atomic<std::size_t> limit_;
    Time mark_{};
    std::uint64_t finished_at_mark_ = 0;
    double pace_ = 0;  // finished per window
};

}  // namespace millrace::engine
