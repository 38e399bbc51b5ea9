#pragma once
// Watches the clock for others: attempts past their deadline are asked to stop, a lease that was not renewed in time is
// given up. It needs no connection, so it does its work when the database cannot be reached.
//
// Thread rule: owns one thread; `expect` by any.

#include "engine/heartbeat.hpp"
#include "engine/running_attempts.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace millrace::engine {

class Watchdog {
public:
    // Leases are renewed behind its back and new ones opened: it looks at least this often.
    static constexpr std::chrono::milliseconds longest_sleep{500};

    Watchdog(RunningAttempts& attempts, Heartbeat& heartbeat, Stats& stats)
        : attempts_{attempts}, heartbeat_{heartbeat}, stats_{stats} {}

    void run(const std::stop_token& stop);

    // An attempt was begun that must end by `deadline`.
    void expect(Clock::time_point deadline);

private:
    RunningAttempts& attempts_;
    Heartbeat& heartbeat_;
    Stats& stats_;

    std::atomic<Clock::time_point> next_{Clock::time_point::max()};  // when it will look again
    std::mutex mutex_;
    std::condition_variable_any earlier_;
};

}  // namespace millrace::engine
