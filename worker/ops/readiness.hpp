#pragma once
// Whether this worker can do its work now, and what keeps it from doing so. A kind that is not available keeps nobody
// from anything else: it is told, not counted as an obstacle.

#include "engine/registry.hpp"

#include <optional>
#include <string>
#include <vector>

namespace millrace::ops {

struct Obstacle {
    std::string what;           // database, schema, worker
    std::string reason;         // for people, and for anybody: it names no host, no user and nothing of a job
    std::string database = {};  // of several; empty: there is only one
};

struct UnavailableKind {
    std::string kind;
    std::string reason;
};

struct Readiness {
    std::vector<Obstacle> obstacles;  // none: ready
    std::vector<UnavailableKind> unavailable_kinds;

    [[nodiscard]] bool is_ready() const noexcept { return obstacles.empty(); }
};

[[nodiscard]] std::vector<UnavailableKind> unavailable_kinds(const engine::Registry& registry);

// {"ready": …, "not_ready": [{"what": …, "reason": …, "database": …}], "unavailable_kinds": [{"kind": …, "reason": …}]}
[[nodiscard]] std::string json_of(const Readiness& readiness);

}  // namespace millrace::ops
