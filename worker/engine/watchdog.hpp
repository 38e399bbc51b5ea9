#pragma once
// Watches the clock for others: attempts past their deadline are asked to stop, a lease that was not renewed in time is
// given up. It needs no connection, so it does its work when the database cannot be reached.
//
// It looks ten times a second, which is how late a stop request may be.
//
// Thread rule: owns one thread.

#include "engine/heartbeat.hpp"
#include "engine/running_attempts.hpp"

#include <stop_token>

namespace millrace::engine {

class Watchdog {
public:
    static constexpr std::chrono::milliseconds interval{100};

    Watchdog(RunningAttempts& attempts, Heartbeat& heartbeat, Stats& stats)
        : attempts_{attempts}, heartbeat_{heartbeat}, stats_{stats} {}

    void run(const std::stop_token& stop);

private:
    RunningAttempts& attempts_;
    Heartbeat& heartbeat_;
    Stats& stats_;
};

}  // namespace millrace::engine
