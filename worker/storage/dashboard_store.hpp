#pragma once
// What the dashboard lists besides what other stores know, and never more than it shows.
//
// Throws ConnectionLost, and Error for what the server refuses. Thread rule: as the Session.

#include "core/ids.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

struct DeadLetterRow {
    core::JobId id;
    std::string kind;
    int attempt = 0;
    std::string error;
    double age_seconds = 0;  // since it was discarded
};

struct ScheduleGlance {
    std::string name;
    std::string cron;
    std::string time_zone;
    std::string queue;
    std::string kind;
    bool is_paused = false;
    std::optional<double> seconds_to_go;  // less than zero: overdue; none while it is paused
    std::optional<double> last_age_seconds;
    std::optional<std::string> last_how;
    std::optional<core::JobId> last_job;
    std::optional<std::string> error;
};

// The newest first.
[[nodiscard]] std::vector<DeadLetterRow> dead_letters(Session& session, const std::string& queue, int most);

// By name.
[[nodiscard]] std::vector<ScheduleGlance> schedules_at_a_glance(Session& session, int most);

}  // namespace millrace::storage
