#pragma once
// What runs now and who runs it, for a person who watches.
//
// Throws ConnectionLost, and Error for what the server refuses. Thread rule: as the Session.

#include "core/ids.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

struct RunningRow {
    core::JobId id;
    std::string queue;
    std::string kind;
    std::string worker;
    int attempt = 0;
    int max_attempts = 1;
    double seconds = 0;  // since it was claimed
    std::optional<int> percent;
    std::optional<std::string> message;
    bool is_cancelling = false;
};

struct WorkerRow {
    std::string name;
    std::string state;   // alive, draining or overdue; a session that has ended is none
    std::string queues;  // with blanks between them
    std::string version;
    double heartbeat_age_seconds = 0;
    double age_seconds = 0;  // since it was started
};

struct LiveView {
    std::string database;
    std::vector<RunningRow> running;  // those that have run longest
    std::vector<WorkerRow> workers;   // the longest silent first
};

// At most so many of each.
[[nodiscard]] LiveView live_view(Session& session, int most);

// Those of one queue that have run longest.
[[nodiscard]] std::vector<RunningRow> running_jobs(Session& session, const std::string& queue, int most);

}  // namespace millrace::storage
