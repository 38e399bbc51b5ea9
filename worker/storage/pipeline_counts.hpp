#pragma once
// How often the pipeline's stores were asked for what, how that ended, and how long it took.
//
// Thread rule: any thread.

#include "core/guarded.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <string_view>

namespace millrace::storage::pipeline {

class StoreCounts {
public:
    struct Key {
        std::string_view store;  // all three are literals of this program
        std::string_view operation;
        std::string_view outcome;
        // NOLINTNEXTLINE(modernize-use-nullptr): as in core/ids.hpp
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Tally {
        std::uint64_t operations = 0;
        std::chrono::nanoseconds time{0};
    };

    void add(const Key& key, std::chrono::nanoseconds time) {
        tallies_.with([&](auto& tallies) {
            auto& tally = tallies[key];
            ++tally.operations;
            tally.time += time;
        });
    }
    [[nodiscard]] std::map<Key, Tally> snapshot() const {
        return tallies_.with([](const auto& tallies) { return tallies; });
    }

private:
    core::Guarded<std::map<Key, Tally>> tallies_;
};

}  // namespace millrace::storage::pipeline
