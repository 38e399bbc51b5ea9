#pragma once
// `millrace worker --check`: what a worker with these settings would meet at its start, and nothing is changed.

#include "cli/command.hpp"
#include "engine/settings.hpp"
#include "ops/log.hpp"

namespace millrace::cli {

inline constexpr Flag check_flag{"check", "", "validate settings, databases, schema, role and queues, and exit"};

// Looks at every database, also after one that is not fit for work. Throws what a single one without a name refuses,
// unless JSON is wanted.
Exit check_worker(const Invocation& invocation, const engine::WorkerSettings& settings, ops::Log& log);

}  // namespace millrace::cli
