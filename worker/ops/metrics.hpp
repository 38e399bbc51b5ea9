#pragma once
// The counts of a worker, or of `millrace serve`, in the Prometheus text format. docs/metrics.md says what each means.
//
// Labels are names of queues and pipeline queues, of kinds that this program has handlers for, of stores, of outcomes,
// of states and of resources: as many as were configured, never as many as producers think of.

#include "engine/registry.hpp"
#include "engine/worker.hpp"
#include "ops/database_probe.hpp"
#include "storage/pipeline_counts.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::ops {

// What handlers count, by the values of one label, or without one. What is counted outlives whoever shows it.
struct CounterFamily {
    std::string name;
    std::string help;
    std::string label;  // empty: there is one counter
    std::vector<std::pair<std::string, const std::atomic<std::uint64_t>*>> counters;
};
struct DurationFamily {
    std::string name;
    std::string help;
    const engine::Histogram* durations;
};
struct Counted {
    std::vector<CounterFamily> counters;
    std::vector<DurationFamily> durations;
    const storage::pipeline::StoreCounts* stores = nullptr;  // null: there are none
};

struct Sample {
    std::string version;           // of this program
    const engine::Worker* worker;  // null: not started yet
    const DatabaseProbe::Look& database;
    const engine::Registry* registry = nullptr;  // null: not known yet
    Counted counted{};
    std::string database_name = {};  // the label `database` of all its numbers; empty: there is only one, and no label
};

// Answered requests of `millrace serve`, by resource and status.
using RequestCounts = std::map<std::pair<std::string_view, int>, std::uint64_t>;

struct SiteSample {
    std::string version;
    const DatabaseProbe::Look& database;
    RequestCounts requests;
};

constexpr auto metrics_type = "text/plain; version=0.0.4; charset=utf-8";

// One for each database.
[[nodiscard]] std::string metrics_text(std::span<const Sample> samples);
[[nodiscard]] std::string metrics_text(const Sample& sample);
[[nodiscard]] std::string metrics_text(const SiteSample& sample);

}  // namespace millrace::ops
