#pragma once
// One line that tells a person how far a long command has come, and nothing to a file or a pipe.
//
// Redrawn at most ten times a second; gone when the object is destroyed.

#include "cli/console.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace millrace::cli {

class Progress {
public:
    // `total` is what `show` counts up to, 0 when nobody knows.
    Progress(Console& console, std::string_view what, std::uint64_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // `done` of the total, and how many `things` that were.
    void show(std::uint64_t done, std::uint64_t things);

private:
    using Clock = std::chrono::steady_clock;

    Console& console_;
    const std::string_view what_;
    const std::uint64_t total_;
    const Clock::time_point started_ = Clock::now();
    Clock::time_point drawn_{};
};

}  // namespace millrace::cli
