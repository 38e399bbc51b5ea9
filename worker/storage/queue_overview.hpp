#pragma once
// How much waits in which queue, for gauges. Exact, and one statement whatever the number of jobs.

#include "storage/session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

struct QueueDepth {
    std::string queue;
    std::int64_t available = 0;
    std::int64_t scheduled = 0;
    std::int64_t blocked = 0;
    std::int64_t running = 0;
    std::int64_t dead = 0;
    std::optional<double> oldest_age_seconds;  // of the available jobs; nothing when there are none
};

constexpr int most_queues_seen = 1000;

// All queues of the database, the first `most_queues_seen` by name, whoever serves them.
[[nodiscard]] std::vector<QueueDepth> queue_overview(Session& session);

}  // namespace millrace::storage
