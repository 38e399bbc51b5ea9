#pragma once
// A worker's counts in the Prometheus text format. docs/metrics.md says what each means.
//
// Labels are names of queues, of kinds that this program has handlers for, of outcomes and of states: as many as were
// configured, never as many as producers think of.

#include "engine/worker.hpp"
#include "ops/database_probe.hpp"

#include <string>

namespace millrace::ops {

struct Sample {
    std::string version;           // of this program
    const engine::Worker* worker;  // null: not started yet
    const DatabaseProbe::Look& database;
};

constexpr auto metrics_type = "text/plain; version=0.0.4; charset=utf-8";

[[nodiscard]] std::string metrics_text(const Sample& sample);

}  // namespace millrace::ops
