#pragma once
// Watches the clock for others: attempts past their deadline are asked to stop, those that do not stop lose their
// session, a lease that was not renewed in time is given up, a database that has fallen silent is hung up on. It needs
// no connection, so it does its work when the database cannot be reached.
//
// It looks ten times a second, which is how late a stop request may be.
//
// Thread rule: owns one thread.

#include "engine/attempt_log.hpp"
#include "engine/heartbeat.hpp"
#include "engine/rounds.hpp"
#include "engine/running_attempts.hpp"

#include <stop_token>

namespace millrace::engine {

class Watchdog {
public:
    static constexpr std::chrono::milliseconds interval{100};
    // It waits for nobody but for the locks that other loops hold for a moment.
    static constexpr std::chrono::seconds longest_round{10};

    // `grace` is from asking an attempt to stop to hanging up its session.
    Watchdog(RunningAttempts& attempts, std::chrono::milliseconds grace, Heartbeat& heartbeat, AnswerWatch& answers,
             Stats& stats, ops::Log& log, const AttemptLog& attempt_log)
        : attempts_{attempts},
          grace_{grace},
          heartbeat_{heartbeat},
          answers_{answers},
          stats_{stats},
          log_{log},
          attempt_log_{attempt_log} {}

    void run(const std::stop_token& stop);

    [[nodiscard]] bool goes_round(Clock::time_point now) const noexcept { return rounds_.are_going(now); }

private:
    void escalate(Clock::time_point now);

    RunningAttempts& attempts_;
    const std::chrono::milliseconds grace_;
    Heartbeat& heartbeat_;
    AnswerWatch& answers_;
    Stats& stats_;
    ops::Log& log_;
    const AttemptLog& attempt_log_;
    Rounds rounds_{longest_round};
};

}  // namespace millrace::engine
