#pragma once
// A loop that must come round within a time says each time that it has. Whoever watches from outside can tell whether
// it still goes round, without waiting for anything that it may be stuck in.
//
// Thread rule: any thread.

#include "engine/attempt.hpp"

#include <atomic>

namespace millrace::engine {

class Rounds {
public:
    explicit Rounds(Clock::duration longest) noexcept : longest_{longest} {}

    void note() noexcept { latest_ = Clock::now(); }
    [[nodiscard]] bool are_going(Clock::time_point now) const noexcept { return now - latest_.load() < longest_; }

private:
    const Clock::duration longest_;
    std::atomic<Clock::time_point> latest_{Clock::now()};
};

}  // namespace millrace::engine
