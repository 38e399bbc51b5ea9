#include "ops/dashboard_pages.hpp"

#include "core/duration.hpp"
#include "ops/dashboard_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace millrace::ops {
namespace {

using core::rough_age;
using storage::LiveView;
using storage::RunningRow;
constexpr auto as_number = Column::Kind::number;

Html toned_severity(const std::string& severity) {
    if (severity == "critical") return toned("bad", severity);
    return severity == "warning" ? toned("warning", severity) : Html{severity};
}

Html toned_state(const std::string& state) {
    if (state == "alive" || state == "completed" || state == "running") return toned("good", state);
    if (state == "draining" || state == "cancelled") return toned("warning", state);
    return state == "overdue" || state == "discarded" ? toned("bad", state) : Html{state};
}

Html findings_of(const Overview& overview) {
    if (!overview.doctor_problem.empty()) {
        return Html{}.markup("<p>").html(toned("bad", overview.doctor_problem)).markup("</p>\n");
    }
    HtmlTable table{"What the doctor finds", {{"severity"}, {"finding"}, {"about"}, {"detail"}, {"what to do"}}};
    const auto& findings = overview.findings;
    for (std::size_t at = 0; at < std::min(findings.size(), most_findings); ++at) {
        const auto& finding = findings[at];
        table.begin_row();
        table.add(toned_severity(finding.severity));
        table.add(finding.finding);
        table.add(finding.about);
        table.add(finding.detail);
        table.add(finding.remedy);
    }
    auto written = table.written("The doctor finds nothing wrong.");
    if (findings.size() > most_findings) {
        written.markup("<p>And ")
            .number(static_cast<std::int64_t>(findings.size() - most_findings))
            .markup(" more: <code>millrace doctor</code>.</p>\n");
    }
    return written;
}

Html queues_of(const std::vector<storage::QueueRow>& queues) {
    HtmlTable table{"Queues",
                    {{"queue"},
                     {"state"},
                     {"available", as_number},
                     {"running", as_number},
                     {"scheduled", as_number},
                     {"blocked", as_number},
                     {"dead", as_number},
                     {"oldest waits"}}};
    for (std::size_t at = 0; at < std::min(queues.size(), most_queues); ++at) {
        const auto& queue = queues[at];
        table.begin_row();
        table.add(link_to_queue(queue.name));
        table.add(queue.paused_at ? toned("bad", "paused") : Html{"open"});
        for (const auto count : {queue.available, queue.running, queue.scheduled, queue.blocked, queue.dead})
            table.add_number(count);
        table.add(queue.oldest_age_seconds ? rough_age(*queue.oldest_age_seconds) : "");
    }
    auto written = table.written("There is no queue yet.");
    if (queues.size() > most_queues) written.markup("<p>And more: <code>millrace queues</code>.</p>\n");
    return written;
}

Html workers_in_words(const LiveView& live) {
    std::map<std::string, int> by_state;
    for (const auto& worker : live.workers)
        ++by_state[worker.state];
    Html words;
    words.markup("<p><a href=\"/dashboard/workers\">Workers</a>: ");
    if (by_state.empty()) return words.html(toned("bad", "none")).markup(".</p>\n");
    for (auto state = by_state.begin(); state != by_state.end(); ++state) {
        if (state != by_state.begin()) words.markup(", ");
        words.number(state->second).markup(" ").html(toned_state(state->first));
    }
    return words.markup(".</p>\n");
}

std::string progress_of(const RunningRow& job) {
    if (job.is_cancelling) return "cancelling";
    const auto percent = job.percent ? fmt::format("{} % ", *job.percent) : std::string{};
    return percent + job.message.value_or("");
}

Html running_of(const std::vector<RunningRow>& running) {
    HtmlTable table{"What runs longest", {{"job"}, {"kind"}, {"worker"}, {"attempt"}, {"for"}, {"progress"}}};
    for (const auto& job : running) {
        table.begin_row();
        table.add(link_to_job(job.id));
        table.add(job.kind);
        table.add(job.worker);
        table.add(fmt::format("{} of {}", job.attempt, job.max_attempts));
        table.add(rough_age(job.seconds));
        table.add_error(progress_of(job));
    }
    return table.written("Nothing runs.");
}

Html dead_of(const std::vector<storage::DeadLetterRow>& dead, const Visitor& visitor) {
    HtmlTable table{"Dead letters, the newest first",
                    {{"job"}, {"kind"}, {"attempts", as_number}, {"age"}, {"error"}, {"action"}}};
    for (const auto& letter : dead) {
        table.begin_row();
        table.add(link_to_job(letter.id));
        table.add(letter.kind);
        table.add_number(letter.attempt);
        table.add(rough_age(letter.age_seconds));
        table.add_error(letter.error);
        table.add(button(visitor, "replay", std::to_string(letter.id.value), "Replay"));
    }
    return table.written("No dead letters.");
}

Html job_actions(const storage::JobRow& job, const Visitor& visitor) {
    const auto of = std::to_string(job.id.value);
    Html actions;
    if (job.state == "discarded") {
        actions.html(button(visitor, "replay", of, "Replay"))
            .html(guarded_button(visitor, "discard", of, "Discard for good"));
    } else if (job.state != "completed" && job.state != "cancelled") {
        actions.html(guarded_button(visitor, "cancel", of, "Cancel"));
    }
    if (actions.is_empty()) return actions;
    return Html{}.markup("<div class=\"actions\">").html(actions).markup("</div>\n");
}

Html causes_of(const std::vector<storage::Explanation>& causes) {
    HtmlTable table{"Why it is where it is", {{"cause"}, {"why"}, {"what to do"}}};
    for (const auto& cause : causes) {
        table.begin_row();
        table.add(cause.cause);
        table.add_error(cause.why);
        table.add(cause.remedy.value_or(""));
    }
    return table.written("Nothing is known.");
}

Html log_of(const std::string& log) {
    HtmlTable table{"What it has said, the last lines",
                    {{"line", as_number}, {"attempt", as_number}, {"at"}, {"text"}}};
    const auto lines = nlohmann::json::parse(log);
    for (auto at = lines.size() - std::min(lines.size(), most_log_lines); at < lines.size(); ++at) {
        const auto& line = lines[at];
        table.begin_row();
        table.add_number(line["line"].get<std::int64_t>());
        table.add_number(line["attempt"].get<std::int64_t>());
        table.add(line["at"].get<std::string>());
        table.add_error(line["text"].get<std::string>());
    }
    return table.written("It has said nothing.");
}

// It is JSON of ours.
std::string progress_in_words(const std::string& progress) {
    const auto said = nlohmann::json::parse(progress);
    const auto percent = said["percent"].is_number() ? fmt::format("{} % ", said["percent"].get<int>()) : std::string{};
    return percent + (said["message"].is_string() ? said["message"].get<std::string>() : "");
}

Html preformatted(const std::string& text) {
    return Html{}.markup("<pre>").text(text).markup("</pre>");
}

}  // namespace

std::string overview_page(const Overview& overview, const Visitor& visitor) {
    Html content;
    content.html(findings_of(overview)).html(queues_of(overview.queues)).html(workers_in_words(overview.live));
    return framed(overview.live.database, content, visitor, Renewal::by_itself);
}

std::string queue_page(const QueueView& view, const Visitor& visitor) {
    const auto& queue = view.queue;
    const auto counted = [](std::int64_t count) { return Html{}.number(count); };
    Facts facts;
    facts.add("state", queue.paused_at ? toned("bad", "paused since " + *queue.paused_at) : Html{"open"})
        .add("available", counted(queue.available))
        .add("running", counted(queue.running))
        .add("scheduled", counted(queue.scheduled))
        .add("blocked", counted(queue.blocked))
        .add("dead", counted(queue.dead))
        .add("oldest waits", queue.oldest_age_seconds ? rough_age(*queue.oldest_age_seconds) : "");
    Html content;
    content.html(facts.written())
        .markup("<div class=\"actions\">")
        .html(queue.paused_at ? button(visitor, "resume_queue", queue.name, "Resume")
                              : button(visitor, "pause_queue", queue.name, "Pause"))
        .markup("</div>\n")
        .html(dead_of(view.dead, visitor))
        .html(running_of(view.running));
    return framed("Queue " + queue.name, content, visitor, Renewal::by_itself);
}

std::string job_page(const JobView& view, const Visitor& visitor) {
    const auto& job = view.job.row;
    Facts facts;
    facts.add("queue", link_to_queue(job.queue))
        .add("kind", job.kind)
        .add("state", toned_state(job.state))
        .add("attempt", fmt::format("{} of {}", job.attempt, job.max_attempts))
        .add("priority", Html{}.number(job.priority))
        .add("enqueued", job.enqueued_at)
        .add_if("runs at", job.run_at)
        .add_if("claimed", view.job.claimed_at)
        .add_if("deadline", view.job.deadline)
        .add_if("ended", view.job.finished_at)
        .add_if("worker", job.worker)
        .add_if("trace", view.job.traceparent);
    if (view.job.progress) facts.add("progress", progress_in_words(*view.job.progress));
    if (view.job.cancelling) facts.add("cancelling", "it was asked to stop");
    if (job.error) facts.add("error", preformatted(*job.error));
    if (view.shows_payload) {
        facts.add("payload", preformatted(view.job.payload));
        if (view.job.result) facts.add("result", preformatted(*view.job.result));
    }
    Html content;
    content.html(job_actions(job, visitor))
        .html(causes_of(view.causes))
        .html(facts.written())
        .html(log_of(view.job.log));
    return framed(fmt::format("Job {}", job.id.value), content, visitor, Renewal::by_hand);
}

std::string workers_page(const LiveView& live, const Visitor& visitor) {
    HtmlTable table{"Those that have not ended, the longest silent first",
                    {{"worker"}, {"state"}, {"last seen"}, {"up for"}, {"version"}, {"queues"}}};
    for (const auto& worker : live.workers) {
        table.begin_row();
        table.add(worker.name);
        table.add(toned_state(worker.state));
        table.add(rough_age(worker.heartbeat_age_seconds) + " ago");
        table.add(rough_age(worker.age_seconds));
        table.add(worker.version);
        table.add(worker.queues);
    }
    return framed("Workers", table.written("There is no worker."), visitor, Renewal::by_itself);
}

std::string schedules_page(const std::vector<storage::ScheduleGlance>& schedules, const Visitor& visitor) {
    HtmlTable table{
        "By name",
        {{"schedule"}, {"cron"}, {"queue"}, {"kind"}, {"next run"}, {"last run"}, {"job"}, {"error"}, {"action"}}};
    for (const auto& schedule : schedules) {
        const auto to_go = schedule.seconds_to_go.value_or(0);
        const auto next = to_go < 0 ? rough_age(-to_go) + " overdue" : "in " + rough_age(to_go);
        table.begin_row();
        table.add(schedule.name);
        table.add(schedule.cron + " " + schedule.time_zone);
        table.add(link_to_queue(schedule.queue));
        table.add(schedule.kind);
        table.add(schedule.is_paused ? toned("bad", "paused") : Html{schedule.seconds_to_go ? next : "none"});
        table.add(schedule.last_age_seconds
                      ? rough_age(*schedule.last_age_seconds) + " ago, " + schedule.last_how.value_or("")
                      : "never");
        table.add(schedule.last_job ? link_to_job(*schedule.last_job) : Html{});
        table.add_error(schedule.error.value_or(""));
        table.add(button(visitor, "run_schedule", schedule.name, "Run now"));
    }
    return framed("Schedules", table.written("There is no schedule."), visitor, Renewal::by_itself);
}

std::string login_page(std::string_view problem, std::string_view path) {
    Html content;
    if (!problem.empty()) content.markup("<p role=\"alert\">").html(toned("bad", problem)).markup("</p>\n");
    content
        .markup(
            "<form method=\"post\" action=\"/dashboard/login\" class=\"login\"><label for=\"token\">Token</label>"
            "<input id=\"token\" name=\"token\" type=\"password\" required autocomplete=\"current-password\">"
            "<button>Log in</button></form>\n<p>It is <code>dashboard.token</code> of this server's settings. ")
        .markup("Logged in already, and here by a link of another site? <a href=\"")
        .text(path)
        .markup("\">Go on.</a></p>\n");
    return framed("Log in", content, {}, Renewal::by_hand);
}

std::string notice_page(std::string_view title, std::string_view text, std::string_view remedy,
                        const Visitor& visitor) {
    Html content;
    content.markup("<p role=\"alert\">").text(text).markup("</p>\n");
    if (!remedy.empty()) content.markup("<p>").text(remedy).markup("</p>\n");
    return framed(title, content, visitor, Renewal::by_hand);
}

}  // namespace millrace::ops
