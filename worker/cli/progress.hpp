#pragma once
// One line that tells a person how far a long command has come, and nothing to a file or a pipe.
//
// Redrawn at most ten times a second; gone when the object is destroyed.

#include "cli/console.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace millrace::cli {

class StatusLine {
public:
    explicit StatusLine(Console& console) : console_{console} {}
    ~StatusLine();
    StatusLine(const StatusLine&) = delete;
    StatusLine& operator=(const StatusLine&) = delete;

    // Whether `show` would draw now.
    [[nodiscard]] bool is_due() const;
    void show(std::string_view line);

private:
    using Clock = std::chrono::steady_clock;

    Console& console_;
    Clock::time_point drawn_{};
};

class Progress {
public:
    // `total` is what `show` counts up to, 0 when nobody knows.
    Progress(Console& console, std::string_view what, std::uint64_t total);

    // `done` of the total, and how many `things` that were.
    void show(std::uint64_t done, std::uint64_t things);

private:
    using Clock = std::chrono::steady_clock;

    StatusLine line_;
    const std::string_view what_;
    const std::uint64_t total_;
    const Clock::time_point started_ = Clock::now();
};

}  // namespace millrace::cli
