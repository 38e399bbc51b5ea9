#pragma once
// How often a value fell between which bounds. A value is a whole number of what the owner counts: microseconds, jobs.
//
// Observing costs two uncontended additions and no lock. A reader sees each number whole, not all at one instant.
//
// Thread rule: any thread.

#include "core/check.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::engine {

class Histogram {
public:
    static constexpr std::size_t most_bounds = 20;

    // `bounds` ascend; each belongs to the bucket below it. They outlive the histogram.
    explicit Histogram(std::span<const std::uint64_t> bounds) : bounds_{bounds} { CHECK(bounds.size() <= most_bounds); }

    void observe(std::uint64_t value) noexcept {
        const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
        counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
        sum_.fetch_add(value, std::memory_order_relaxed);
    }
    // In microseconds; a negative duration counts as none.
    void observe(std::chrono::steady_clock::duration duration) noexcept {
        const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
        observe(static_cast<std::uint64_t>(std::max<decltype(micros)>(0, micros)));
    }

    [[nodiscard]] std::span<const std::uint64_t> bounds() const noexcept { return bounds_; }
    // Of the bucket that ends with this bound; of the one beyond the last bound for `bounds().size()`. Not cumulative.
    [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept {
        return counts_.at(bucket).load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

private:
    const std::span<const std::uint64_t> bounds_;
    std::array<std::atomic<std::uint64_t>, most_bounds + 1> counts_{};
    std::atomic<std::uint64_t> sum_{0};
};

}  // namespace millrace::engine
