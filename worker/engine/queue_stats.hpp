#pragma once
// What a worker has done for one queue: attempts by kind and outcome, and how long they waited and ran.
//
// Kinds come from the registry and there are no others: a job without its row, which has no kind, is counted as
// `other_kinds`, so that nobody can make a worker remember names without end.
//
// Thread rule: any thread.

#include "core/outcome.hpp"
#include "engine/histogram.hpp"

#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace millrace::engine {

// Attempts of one kind, by what became of them.
struct Tally {
    using Counter = std::atomic<std::uint64_t>;

    std::array<Counter, std::variant_size_v<core::Outcome>> settled{};  // in the order of core::Outcome
    Counter lost{0};
};

class QueueStats {
public:
    static constexpr auto other_kinds = "other";
    // Microseconds: from what one disk write takes to what a person would notice next day.
    static constexpr std::array<std::uint64_t, 18> duration_bounds{
        500,     1'000,     2'500,     5'000,     10'000,     25'000,     50'000,     100'000,     250'000,
        500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000, 600'000'000, 3'600'000'000};
    static constexpr std::array<std::uint64_t, 12> batch_bounds{0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 5'000};

    QueueStats(std::string queue_name, const std::vector<std::string>& kinds) : queue{std::move(queue_name)} {
        for (const auto& kind : kinds)
            tallies_.try_emplace(kind);
    }

    [[nodiscard]] Tally& tally(const std::string& kind) noexcept {
        const auto found = tallies_.find(kind);
        return found == tallies_.end() ? other_ : found->second;
    }

    // Calls `use(kind, tally)` for every kind, `other_kinds` last.
    template <class Use>
    void each_kind(Use use) const {
        for (const auto& [kind, tally] : tallies_)
            use(kind, tally);
        use(std::string{other_kinds}, other_);
    }

    const std::string queue;
    Histogram wait{duration_bounds};   // from enqueue to the start of a first attempt
    Histogram run{duration_bounds};    // of an attempt, without its settle
    Histogram claim{duration_bounds};  // from asking to the answer, of claims that were answered
    Histogram batch{batch_bounds};     // jobs that a claim brought

private:
    std::unordered_map<std::string, Tally> tallies_;  // its keys are fixed
    Tally other_;
};

}  // namespace millrace::engine
