#pragma once
// What a person does to schedules from the command line: look, create, pause, resume, run, remove.
//
// Times come as ISO 8601 in UTC, ages in seconds by the server's clock, JSON as its text.
// All verbs throw ConnectionLost, and Error for what the server refuses; each is one transaction.
//
// Thread rule: as the Session.

#include "core/ids.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

struct ScheduleRow {
    std::string name;
    std::string cron;
    std::string time_zone;
    std::string queue;
    std::string kind;
    std::string payload;
    std::string misfire;
    std::string jitter;
    bool paused = false;
    std::optional<std::string> next_run_at;  // none while it is paused
    std::optional<double> seconds_to_go;     // less than zero: overdue
    std::optional<std::string> last_due_at;
    std::optional<std::string> last_fired_at;
    std::optional<double> last_age_seconds;
    std::optional<std::string> last_how;
    std::optional<std::int64_t> last_job;
    std::optional<std::string> error;
    std::optional<std::string> due_key;
    int priority = 5;
    std::optional<int> max_attempts;
    std::optional<std::string> timeout;
    std::string created_at;
    std::string changed_at;
};

// What became of a time that was due.
struct ScheduleRun {
    std::string due_at;
    std::string fired_at;
    std::string how;
    std::int64_t times = 1;
    std::optional<std::int64_t> job;
};

struct NextRun {
    std::string at;
    std::string shown;  // on the clocks of the schedule's time zone
};

// What is not given is as the server has it.
struct ScheduleOrder {
    std::string name;
    std::string cron;
    std::string queue;
    std::string kind;
    std::string payload = "{}";
    std::string time_zone = "UTC";
    std::string misfire = "once";
    std::chrono::milliseconds jitter{0};
    int priority = 5;
    std::optional<int> max_attempts;
    std::optional<std::chrono::milliseconds> timeout;
    std::optional<std::string> due_key;
};

struct ScheduleChange {
    std::string outcome;                     // created, changed or unchanged
    std::string changed;                     // a JSON array of the arguments that differ from before
    std::optional<std::string> next_run_at;  // none while it is paused
};

class ScheduleStore {
public:
    explicit ScheduleStore(Session& session) : session_{session} {}

    [[nodiscard]] std::vector<ScheduleRow> schedules();
    [[nodiscard]] std::optional<ScheduleRow> schedule(const std::string& name);
    // The newest first.
    [[nodiscard]] std::vector<ScheduleRun> runs(const std::string& name, int limit);
    [[nodiscard]] std::vector<NextRun> next_runs(const std::string& cron, const std::string& time_zone, int count);

    [[nodiscard]] ScheduleChange create(const ScheduleOrder& order);
    bool pause(const std::string& name);  // whether that changed anything; so does resume
    bool resume(const std::string& name);
    [[nodiscard]] core::JobId run_now(const std::string& name);
    void remove(const std::string& name);

private:
    Session& session_;
};

}  // namespace millrace::storage
