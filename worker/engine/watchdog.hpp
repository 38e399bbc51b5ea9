#pragma once
// Watches the clock for others: attempts past their deadline are asked to stop, a lease that was not renewed in time is
// given up, a database that has fallen silent is hung up on. It needs no connection, so it does its work when the
// database cannot be reached.
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

    Watchdog(RunningAttempts& attempts, Heartbeat& heartbeat, AnswerWatch& answers, Stats& stats, ops::Log& log)
        : attempts_{attempts}, heartbeat_{heartbeat}, answers_{answers}, stats_{stats}, log_{log} {}

    void run(const std::stop_token& stop);

private:
    RunningAttempts& attempts_;
    Heartbeat& heartbeat_;
    AnswerWatch& answers_;
    Stats& stats_;
    ops::Log& log_;
};

}  // namespace millrace::engine
