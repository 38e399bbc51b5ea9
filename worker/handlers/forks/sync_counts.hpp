#pragma once
// What became of branches of forks at the hands of this worker, for metrics. They count what was recorded under the
// job's fence, and say nothing of the commit.
//
// Thread rule: any thread.

#include "storage/forks_store.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace millrace::handlers::forks {

class SyncCounts {
public:
    using Counter = std::atomic<std::uint64_t>;
    using State = storage::SyncState;

    static constexpr std::array states{State::updated, State::current, State::conflict, State::skipped, State::failed};

    void recorded(State state) { ++counters_.at(static_cast<std::size_t>(state)); }
    [[nodiscard]] const Counter& count(State state) const { return counters_.at(static_cast<std::size_t>(state)); }

private:
    std::array<Counter, states.size()> counters_{};
};

}  // namespace millrace::handlers::forks
