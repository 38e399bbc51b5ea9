#pragma once
// The attempts that occupy executors, one slot per executor thread, and the ways to ask them to stop.
//
// A stop is only a request: the handler looks at its token when it likes. Why it was requested decides what a failure
// that follows means (outcome of a timeout or of a cancellation, or nobody's fault). An attempt past its deadline, or
// cancelled, that has not ended within a grace finds its database session hung up. Nothing more can be done to a
// thread; programs that it has started are ended by adapters/process.hpp.
//
// Thread rule: a slot is begun and ended by its executor; everything else may be called by any thread. Stop callbacks
// run on the thread that asks, with no lock of this class held.

#include "core/guarded.hpp"
#include "engine/attempt.hpp"
#include "storage/session.hpp"
#include "storage/worker_store.hpp"

#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

namespace millrace::engine {

enum class StopReason { none, deadline, cancelled, lease_lost, shutdown };

class RunningAttempts {
public:
    class Slot {
    public:
        std::stop_token begin(const Attempt& attempt);
        [[nodiscard]] StopReason reason() const;
        [[nodiscard]] bool was_hung_up() const;
        void end();

        // While this lives, the attempt waits for `session`, which may be hung up. The session outlives it.
        class Use {
        public:
            Use(Slot& slot, storage::Session& session);
            ~Use();
            Use(const Use&) = delete;
            Use& operator=(const Use&) = delete;

        private:
            Slot& slot_;
        };

    private:
        friend class RunningAttempts;

        mutable std::mutex mutex_;  // protects all below
        const Attempt* attempt_ = nullptr;
        std::stop_source source_{std::nostopstate};
        StopReason reason_ = StopReason::none;
        Clock::time_point stopped_at_;
        storage::Session* session_ = nullptr;
        bool is_overdue_ = false;  // the grace has passed
        bool was_hung_up_ = false;
    };

    // An attempt that has not stopped within the grace.
    struct Overdue {
        core::Job job;  // without its payload
        bool was_hung_up;
    };

    // For one more executor. It lives as long as this object.
    [[nodiscard]] Slot& add_slot();

    void stop_all(StopReason reason);
    void stop_of(const Lease& lease);
    std::size_t stop_overdue(Clock::time_point now);  // how many were past their deadline and did not know yet

    // All that are cancelled now; those that run are asked to stop.
    void cancel(std::vector<storage::CancelRequest> requests);
    [[nodiscard]] bool is_cancelled(const core::Job& job) const;

    // The next step for those that were asked to stop by a deadline or a cancellation `grace` ago. Each but once.
    [[nodiscard]] std::vector<Overdue> escalate(Clock::time_point now, std::chrono::milliseconds grace);

    [[nodiscard]] std::vector<core::Job> jobs() const;  // without their payloads

private:
    template <class Applies>
    std::size_t stop_where(StopReason reason, Applies applies);

    [[nodiscard]] std::vector<Slot*> slots() const;

    core::Guarded<std::vector<std::unique_ptr<Slot>>> slots_;

    mutable std::mutex requests_mutex_;             // protects requests_
    std::vector<storage::CancelRequest> requests_;  // sorted
};

}  // namespace millrace::engine
