#pragma once
// How long to wait before the next try: doubled each time up to a cap, and spread by half, so that a hundred workers
// do not return to a restarted server in the same instant.
//
// Thread rule: one thread at a time.

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace millrace::engine {

// Between 75 % and 125 % of `interval`, for everything that workers do periodically.
template <class Random>
[[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds interval, Random& random) {
    std::uniform_real_distribution<double> spread{0.75, 1.25};
    return std::chrono::milliseconds{
        static_cast<std::chrono::milliseconds::rep>(static_cast<double>(interval.count()) * spread(random))};
}

class Backoff {
public:
    static constexpr std::chrono::milliseconds first{100};
    static constexpr std::chrono::milliseconds cap{5000};

    explicit Backoff(std::uint32_t seed = std::random_device{}()) : random_{seed} {}

    // Between half and all of 100 ms, 200 ms, … 5 s.
    [[nodiscard]] std::chrono::milliseconds next() {
        const auto whole = std::exchange(wait_, std::min(wait_ * 2, cap));
        std::uniform_int_distribution<std::chrono::milliseconds::rep> spread{whole.count() / 2, whole.count()};
        return std::chrono::milliseconds{spread(random_)};
    }

    void reset() noexcept { wait_ = first; }

private:
    std::mt19937 random_;
    std::chrono::milliseconds wait_{first};
};

}  // namespace millrace::engine
