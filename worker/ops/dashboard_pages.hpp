#pragma once
// The dashboard's pages as HTML, from what the stores have said. No script, one stylesheet, and nothing of a payload or
// a result unless that is asked for.
//
// Pure. Thread rule: any thread.

#include "storage/dashboard_store.hpp"
#include "storage/live_view.hpp"
#include "storage/operator_store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace millrace::ops {

// What a page of each list has room for.
constexpr std::size_t most_findings = 50;
constexpr std::size_t most_queues = 500;
constexpr int most_dead_letters = 50;
constexpr int most_running = 20;
constexpr int most_workers = 200;
constexpr int most_schedules = 500;
constexpr std::size_t most_log_lines = 50;  // the last of a job

struct Visitor {
    std::string form_secret;  // of who has logged in, and may change things; empty: looks only

    [[nodiscard]] bool may_change() const noexcept { return !form_secret.empty(); }
};

struct Overview {
    std::vector<storage::Finding> findings;
    std::string doctor_problem;  // why there are none
    std::vector<storage::QueueRow> queues;
    storage::LiveView live;
};

struct QueueView {
    storage::QueueRow queue;
    std::vector<storage::DeadLetterRow> dead;
    std::vector<storage::RunningRow> running;
};

struct JobView {
    storage::JobDetail job;
    std::vector<storage::Explanation> causes;
    bool shows_payload = false;
};

[[nodiscard]] std::string overview_page(const Overview& overview, const Visitor& visitor);
[[nodiscard]] std::string queue_page(const QueueView& view, const Visitor& visitor);
[[nodiscard]] std::string job_page(const JobView& view, const Visitor& visitor);
[[nodiscard]] std::string workers_page(const storage::LiveView& live, const Visitor& visitor);
[[nodiscard]] std::string schedules_page(const std::vector<storage::ScheduleGlance>& schedules, const Visitor& visitor);

// `problem` is what was wrong with the last try; `path` is where the visitor wanted to go.
[[nodiscard]] std::string login_page(std::string_view problem, std::string_view path);
// Why there is no such page, or nothing was done.
[[nodiscard]] std::string notice_page(std::string_view title, std::string_view text, std::string_view remedy,
                                      const Visitor& visitor);

}  // namespace millrace::ops
