#pragma once
// `millrace queues limits` and `limit`: how many jobs of a queue, and of a concurrency key, may run or start.

#include "cli/command.hpp"
#include "storage/session.hpp"

namespace millrace::cli {

inline constexpr Flag limit_rate_flag{"rate", "RATE", "limit: of the key's jobs, as in '600 per hour'"};
inline constexpr Flag limit_burst_flag{"burst", "NUMBER", "limit: of them at once (as many as come in a second)"};

// Exit::nothing when there is no such queue, or none at all.
Exit show_limits(const Invocation& invocation, storage::Session& session);

// Throws UsageError.
Exit limit_key(const Invocation& invocation, storage::Session& session);

}  // namespace millrace::cli
