#pragma once
// What is set for kinds of jobs, and who runs them.
//
// Thread rule: as the Session.

#include "storage/session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

// What is not set is as each queue has it. Intervals as PostgreSQL writes them, times as ISO 8601 in UTC.
struct KindRow {
    std::string name;
    std::optional<std::int64_t> max_attempts;
    std::optional<std::string> timeout;
    std::optional<std::string> retry_base;
    std::optional<std::string> retry_cap;
    std::optional<std::string> retry_delays;  // as one text: "10 s, 5 minutes"
    std::optional<std::string> paused_at;
    std::int64_t live_workers = 0;
};

class KindStore {
public:
    explicit KindStore(Session& session) : session_{session} {}

    // Those that have been configured or paused, or that a worker handles which lives.
    [[nodiscard]] std::vector<KindRow> kinds();

    // Changes as JSON; returns those that were none before, as JSON. Throws Error MR005.
    std::string configure(const std::string& kind, const std::string& changes);

    // Whether it was not so before. Throw Error MR005.
    bool pause(const std::string& kind);
    bool resume(const std::string& kind);

private:
    Session& session_;
};

}  // namespace millrace::storage
