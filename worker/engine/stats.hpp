#pragma once
// What a worker has done since it started. Counters only go up; a reader sees each one whole, not all at one instant.
//
// Thread rule: any thread; `queues` is filled before the first of them starts.

#include "core/outcome.hpp"
#include "engine/queue_stats.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <tuple>
#include <variant>
#include <vector>

namespace millrace::engine {

struct Stats {
    using Counter = std::atomic<std::uint64_t>;

    Counter claims;     // claim statements, the empty ones too
    Counter claimed;    // jobs they brought
    Counter completed;  // settles that were accepted, by outcome
    Counter failed;
    Counter snoozed;
    Counter discarded;
    Counter released;
    Counter cancelled;
    Counter lost;       // attempts whose settle was refused, or which were dropped because the lease was gone
    Counter timed_out;  // attempts asked to stop at their deadline
    Counter hung_up;    // sessions of attempts that did not stop within the grace
    Counter leases_lost;
    Counter reconnects;  // sessions opened to replace a lost one
    Counter wakeups;     // notifications that woke a claimer
    Counter promoted;
    Counter reaped;

    std::vector<std::unique_ptr<QueueStats>> queues;

    // The settle of an attempt was accepted.
    void count(const core::Outcome& outcome, Tally& tally) noexcept {
        const std::array counters{&completed, &failed, &snoozed, &discarded, &released, &cancelled};
        static_assert(std::variant_size_v<core::Outcome> == std::tuple_size_v<decltype(counters)>);
        ++*counters[outcome.index()];  // in the order of core::Outcome
        ++tally.settled[outcome.index()];
    }
    void count_lost(Tally& tally) noexcept {
        ++lost;
        ++tally.lost;
    }
};

}  // namespace millrace::engine
