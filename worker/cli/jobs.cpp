#include "cli/jobs.hpp"

#include "cli/answer.hpp"
#include "cli/explain.hpp"
#include "cli/guess.hpp"
#include "cli/input.hpp"
#include "cli/many_jobs.hpp"
#include "cli/table.hpp"
#include "storage/error.hpp"
#include "storage/operator_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <ostream>

namespace millrace::cli {

namespace {

using storage::OperatorAction;

constexpr int most_jobs = 100'000;

constexpr std::array flags{
    Flag{"queue", "NAME", "only of this queue"},
    Flag{"kind", "NAME", "only of this kind"},
    Flag{"state", "STATE", "available, scheduled, blocked, running, completed, cancelled, discarded"},
    Flag{"limit", "NUMBER", "list: the newest so many (50)"},
    Flag{"error", "TEXT", "whose last failure says so; % is any text, _ any character"},
    Flag{"older-than", "DURATION", "discarded, failed or enqueued so long ago, or longer"},
    Flag{"newer-than", "DURATION", "since then"},
    Flag{"all", "", "by filter: all of the queue"},
    Flag{"max", "NUMBER", "by filter: at most so many, a thousand in each transaction (1000)"},
    Flag{"yes", "", "by filter: do it"},
    Flag{"dry-run", "", "only say how many jobs"},
    json_flag,
};

const std::vector<std::string> states{"available", "scheduled", "blocked",  "running",
                                      "completed", "cancelled", "discarded"};

Tone tone_of(std::string_view state) {
    if (state == "completed") return Tone::good;
    if (state == "running") return Tone::busy;
    if (state == "discarded") return Tone::bad;
    if (state == "cancelled") return Tone::faint;
    return Tone::plain;
}

core::JobId id_of(const std::string& word) {
    core::JobId id;
    const char* const end = word.data() + word.size();
    const auto [rest, failure] = std::from_chars(word.data(), end, id.value);
    if (failure != std::errc{} || rest != end || id.value < 1) {
        throw UsageError{fmt::format("\"{}\" is not a job's number", word)};
    }
    return id;
}

storage::JobFilter filter_of(const Arguments& arguments) {
    storage::JobFilter filter;
    filter.queue = filter_text(arguments, "queue");
    filter.kind = filter_text(arguments, "kind");
    filter.state = filter_text(arguments, "state");
    if (const auto text = filter_text(arguments, "error"); !text.empty()) filter.error = text;
    filter.older_than = arguments.duration("older-than");
    filter.newer_than = arguments.duration("newer-than");
    filter.limit = arguments.number("limit", 1, most_jobs).value_or(filter.limit);
    if (!filter.state.empty()) require_known("state", filter.state, states);
    return filter;
}

Cell attempts(const storage::JobRow& job) {
    return Cell::of(fmt::format("{}/{}", job.attempt, job.max_attempts));
}

Table table_of(const std::vector<storage::JobRow>& jobs) {
    using For = Column::For;
    Table table{{{"id"},
                 {"queue"},
                 {"kind"},
                 {"state"},
                 {"tries", For::people},
                 {"age", For::people},
                 {"priority", For::programs},
                 {"attempt", For::programs},
                 {"max_attempts", For::programs},
                 {"enqueued_at", For::programs},
                 {"run_at", For::programs},
                 {"worker"},
                 {"error"}}};
    for (const auto& job : jobs) {
        table.add({Cell::of(job.id.value), Cell::of(job.queue), Cell::of(job.kind),
                   Cell::of(job.state, tone_of(job.state)), attempts(job), Cell::of(rough_age(job.age_seconds)),
                   Cell::of(std::int64_t{job.priority}), Cell::of(std::int64_t{job.attempt}),
                   Cell::of(std::int64_t{job.max_attempts}), Cell::of(job.enqueued_at), Cell::maybe(job.run_at),
                   Cell::maybe(job.worker), Cell::maybe(job.error)});
    }
    return table;
}

Exit list_jobs(const Invocation& invocation, storage::OperatorStore& store) {
    const auto table = table_of(store.jobs(filter_of(invocation.arguments)));
    const auto ended = show_rows(invocation, table, "no job matches");
    if (ended == Exit::nothing && !invocation.arguments.has("json")) {
        invocation.console.err << guess_for_filter(invocation);
    }
    return ended;
}

Cell maybe_json(const std::optional<std::string>& text) {
    return text ? Cell::json(*text) : Cell{};
}

// For people: what the job has said of itself, a line each.
void print_log(const Invocation& invocation, const std::string& log) {
    const auto lines = nlohmann::json::parse(log);
    if (lines.empty()) return;
    Table table{{{"line"}, {"attempt"}, {"at"}, {"text"}}};
    for (const auto& line : lines) {
        table.add({Cell::of(line["line"].get<std::int64_t>()), Cell::of(line["attempt"].get<std::int64_t>()),
                   Cell::of(line["at"].get<std::string>()), Cell::of(line["text"].get<std::string>())});
    }
    invocation.console.out << '\n';
    table.print(invocation.console.out, invocation.console.out_screen);
}

Exit show_job(const Invocation& invocation, storage::OperatorStore& store) {
    const auto id = id_of(invocation.arguments.words()[1]);
    const auto found = store.job(id);
    if (!found) {
        invocation.console.complain(fmt::format("no job {}", id.value),
                                    "It never existed, its enqueue is not committed, or its retention is over.");
        return Exit::nothing;
    }
    const auto& job = found->row;
    Table table{{{"id"},
                 {"queue"},
                 {"kind"},
                 {"state"},
                 {"priority"},
                 {"attempt"},
                 {"max_attempts"},
                 {"enqueued_at"},
                 {"run_at"},
                 {"claimed_at"},
                 {"deadline"},
                 {"finished_at"},
                 {"worker"},
                 {"traceparent"},
                 {"error"},
                 {"progress"},
                 {"cancelling"},
                 {"result"},
                 {"log", Column::For::programs},
                 {"payload"}}};
    table.add({Cell::of(job.id.value),
               Cell::of(job.queue),
               Cell::of(job.kind),
               Cell::of(job.state, tone_of(job.state)),
               Cell::of(std::int64_t{job.priority}),
               Cell::of(std::int64_t{job.attempt}),
               Cell::of(std::int64_t{job.max_attempts}),
               Cell::of(job.enqueued_at),
               Cell::maybe(job.run_at),
               Cell::maybe(found->claimed_at),
               Cell::maybe(found->deadline),
               Cell::maybe(found->finished_at),
               Cell::maybe(job.worker),
               Cell::maybe(found->traceparent),
               Cell::maybe(job.error),
               maybe_json(found->progress),
               maybe_json(found->cancelling),
               maybe_json(found->result),
               Cell::json(found->log),
               Cell::json(found->payload)});
    if (invocation.arguments.has("json")) {
        table.print_json_record(invocation.console.out);
    } else {
        table.print_record(invocation.console.out, invocation.console.out_screen);
        print_log(invocation, found->log);
    }
    return Exit::done;
}

Exit act_on(const Invocation& invocation, storage::OperatorStore& store, OperatorAction action,
            const std::vector<core::JobId>& ids) {
    Table table{{{"id"}, {"state"}, {"refused"}}};
    std::size_t unknown = 0;
    std::size_t refused = 0;
    for (const auto id : ids) {
        try {
            const auto state = store.act(action, id);
            table.add({Cell::of(id.value), Cell::of(state, tone_of(state)), Cell{}});
        } catch (const storage::Error& error) {
            const bool is_unknown = error.sqlstate() == "MR006";
            const bool is_in_wrong_state = error.sqlstate() == "MR007" || error.sqlstate() == "MR009";
            if (!is_unknown && !is_in_wrong_state) throw;
            ++(is_unknown ? unknown : refused);
            table.add({Cell::of(id.value), Cell{}, Cell::of(error.what(), Tone::bad)});
        }
    }
    show_rows(invocation, table, "no job matches");
    if (refused > 0) return Exit::failed;
    return unknown == ids.size() ? Exit::nothing : (unknown > 0 ? Exit::failed : Exit::done);
}

Exit change_jobs(const Invocation& invocation, storage::OperatorStore& store, const std::string& verb) {
    const auto& arguments = invocation.arguments;
    std::vector<core::JobId> ids;
    for (auto word = arguments.words().begin() + 1; word != arguments.words().end(); ++word)
        ids.push_back(id_of(*word));
    if (verb == "discard") return change_many(invocation, store, verb, storage::ManyAction::discard, ids);
    if (ids.empty() == !has_filter(arguments)) {
        throw UsageError{fmt::format("jobs {} needs job numbers, or --queue and a filter", verb)};
    }
    if (ids.empty()) {
        const auto action = verb == "cancel"  ? storage::ManyAction::cancel
                            : verb == "retry" ? storage::ManyAction::retry
                                              : storage::ManyAction::replay;
        return change_many(invocation, store, verb, action, {});
    }
    if (arguments.has("dry-run")) {
        invocation.console.err << fmt::format("would {} {} {}\n", verb, ids.size(), ids.size() == 1 ? "job" : "jobs");
        return Exit::done;
    }
    const auto action = verb == "cancel"  ? OperatorAction::cancel
                        : verb == "retry" ? OperatorAction::retry
                                          : OperatorAction::replay;
    return act_on(invocation, store, action, ids);
}

constexpr std::string_view change_flags = "queue kind state error older-than newer-than all max yes dry-run json";

constexpr std::array verbs{
    Verb{"list", 0, 0, "takes filters, not job numbers: jobs show ID",
         "queue kind state error older-than newer-than limit json"},
    Verb{"show", 1, 1, "needs one job's number", "json"},
    Verb{"explain", 1, 1, "needs one job's number", "json"},
    Verb{"cancel", 0, any_number, "", change_flags},
    Verb{"retry", 0, any_number, "", change_flags},
    Verb{"replay", 0, any_number, "", change_flags},
    Verb{"discard", 0, any_number, "", change_flags},
};

Exit run(const Invocation& invocation) {
    const std::string verb{verb_of("jobs", invocation.arguments, verbs).name};
    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("jobs");
    storage::OperatorStore store{*session};
    if (verb == "list") return list_jobs(invocation, store);
    if (verb == "show") return show_job(invocation, store);
    if (verb == "explain") return explain_job(invocation, store, id_of(invocation.arguments.words()[1]));
    return change_jobs(invocation, store, verb);
}

}  // namespace

Command jobs_command() {
    return {.name = "jobs",
            .summary = "lists, shows and explains jobs; cancels, retries, replays and discards them",
            .usage =
                "millrace jobs [list] [--queue Q] [--kind K] [--state S] [--error LIKE] [--older-than D]\n"
                "                     [--newer-than D] [--limit N] [--json]\n"
                "millrace jobs show|explain ID [--json]\n"
                "millrace jobs cancel|retry|replay ID... [--json]\n"
                "millrace jobs cancel|retry|replay|discard --queue Q FILTER... [--max N] [--yes] [--json]\n"
                "FILTER: --kind K, --error LIKE, --older-than D, --newer-than D, or --all; of cancel also --state S",
            .details =
                "explain says why a job does not run, and what may help.\n"
                "cancel ends jobs that wait, and asks those that run to stop; retry makes scheduled ones available at\n"
                "once, by filter those that wait for their retry; replay brings dead letters back with all their\n"
                "attempts; discard --queue Q throws them away, by number or by filter. By filter, these say how many\n"
                "jobs they would change, and change them with --yes. A job already where it would go is left alone.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
