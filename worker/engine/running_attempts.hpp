#pragma once
// The attempts that occupy executors, one slot per executor thread, and the ways to ask them to stop.
//
// A stop is only a request: the handler looks at its token when it likes. Why it was requested decides what a failure
// that follows means (outcome of a timeout, or nobody's fault).
//
// Thread rule: a slot is begun and ended by its executor; everything else may be called by any thread. Stop callbacks
// run on the thread that asks, with no lock of this class held.

#include "engine/attempt.hpp"

#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

namespace millrace::engine {

enum class StopReason { none, deadline, lease_lost, shutdown };

class RunningAttempts {
public:
    class Slot {
    public:
        std::stop_token begin(const Attempt& attempt);
        [[nodiscard]] StopReason reason() const;
        void end();

    private:
        friend class RunningAttempts;

        mutable std::mutex mutex_;  // protects all below
        const Attempt* attempt_ = nullptr;
        std::stop_source source_{std::nostopstate};
        StopReason reason_ = StopReason::none;
    };

    explicit RunningAttempts(std::size_t slots);

    [[nodiscard]] Slot& slot(std::size_t index) { return *slots_.at(index); }

    void stop_all(StopReason reason);
    void stop_of(const Lease& lease);
    std::size_t stop_overdue(Clock::time_point now);  // how many were past their deadline and did not know yet

    [[nodiscard]] std::vector<core::Job> jobs() const;  // without their payloads

private:
    template <class Applies>
    std::size_t stop_where(StopReason reason, Applies applies);

    std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace millrace::engine
