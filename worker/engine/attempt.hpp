#pragma once
// One attempt at one job, from its claim to its settle, and the lease under which it was claimed.

#include "core/job.hpp"
#include "engine/queue_stats.hpp"
#include "engine/spans.hpp"

#include <atomic>
#include <chrono>
#include <memory>

namespace millrace::engine {

using Clock = std::chrono::steady_clock;

// A worker session as this process knows it. Whoever has work of it in hand holds a reference, so that the references
// tell when the last of it is settled.
//
// Thread rule: any thread.
struct Lease {
    explicit Lease(core::WorkerId id) : worker{id} {}

    const core::WorkerId worker;
    std::atomic<bool> lost{false};  // set once: the jobs are, or soon will be, another worker's
};

struct Attempt {
    core::Job job;
    std::shared_ptr<const Lease> lease;
    Clock::time_point deadline = Clock::time_point::max();     // counted from before the claim, as the server counts
    Clock::time_point enqueued_at = Clock::time_point::max();  // by this clock; max: not known
    Tally* tally = nullptr;                                    // of its queue and kind
    std::shared_ptr<const JobTrace> trace = {};                // null: not traced
};

}  // namespace millrace::engine
