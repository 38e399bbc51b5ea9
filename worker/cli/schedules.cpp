#include "cli/schedules.hpp"

#include "cli/answer.hpp"
#include "cli/input.hpp"
#include "cli/json_lines.hpp"
#include "cli/table.hpp"
#include "core/nearest.hpp"
#include "storage/error.hpp"
#include "storage/schedule_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>
#include <span>

namespace millrace::cli {

namespace {

constexpr int most_next_runs = 1000;
constexpr int shown_runs = 10;

constexpr std::array flags{
    Flag{"time-zone", "ZONE", "create: whose clocks are meant, such as Europe/Berlin (UTC)"},
    Flag{"misfire", "POLICY", "create: of times that nobody was there for: skip, once or all (once)"},
    Flag{"jitter", "DURATION", "create: puts off each job by a random part of it (0s)"},
    Flag{"due-key", "KEY", "create: member of the payload that is to hold the time that was due"},
    Flag{"priority", "0-9", "create: of the jobs, 0 first, 9 last (5)"},
    Flag{"max-attempts", "NUMBER", "create: of the jobs, instead of the queue's"},
    Flag{"timeout", "DURATION", "create: of one attempt, instead of the queue's"},
    Flag{"next", "NUMBER", "show: so many of the times to come (5)"},
    json_flag,
};

// "in 3 h"; what is overdue waits for a worker.
Cell next_of(const storage::ScheduleRow& schedule) {
    if (schedule.paused) return Cell::of("paused", Tone::bad);
    if (!schedule.seconds_to_go) return {};
    const auto seconds = *schedule.seconds_to_go;
    if (seconds < 0) return Cell::of(rough_age(-seconds) + " overdue", Tone::busy);
    return Cell::of("in " + rough_age(seconds));
}

Cell last_of(const storage::ScheduleRow& schedule) {
    if (!schedule.last_how || !schedule.last_age_seconds) return {};
    return Cell::of(rough_age(*schedule.last_age_seconds) + " ago, " + *schedule.last_how,
                    *schedule.last_how == "skipped" ? Tone::bad : Tone::plain);
}

template <class Number>
Cell maybe_number(const std::optional<Number>& number) {
    return number ? Cell::of(std::int64_t{*number}) : Cell{};
}

Cell error_of(const storage::ScheduleRow& schedule) {
    return schedule.error ? Cell::of(*schedule.error, Tone::bad) : Cell{};
}

Exit list_schedules(const Invocation& invocation, storage::ScheduleStore& store) {
    using For = Column::For;
    Table table{{{"name"},
                 {"cron"},
                 {"time_zone"},
                 {"queue"},
                 {"kind"},
                 {"next", For::people},
                 {"last", For::people},
                 {"paused", For::programs},
                 {"next_run_at", For::programs},
                 {"last_due_at", For::programs},
                 {"last_fired_at", For::programs},
                 {"last_how", For::programs},
                 {"last_job", For::programs},
                 {"error"}}};
    for (const auto& each : store.schedules()) {
        table.add({Cell::of(each.name, Tone::strong), Cell::of(each.cron), Cell::of(each.time_zone),
                   Cell::of(each.queue), Cell::of(each.kind), next_of(each), last_of(each),
                   Cell::json(each.paused ? "true" : "false"), Cell::maybe(each.next_run_at),
                   Cell::maybe(each.last_due_at), Cell::maybe(each.last_fired_at), Cell::maybe(each.last_how),
                   maybe_number(each.last_job), error_of(each)});
    }
    return show_rows(invocation, table, "no schedules yet: millrace schedules create NAME CRON QUEUE KIND");
}

std::string json_of(std::span<const storage::NextRun> runs) {
    auto array = nlohmann::ordered_json::array();
    for (const auto& run : runs)
        array.push_back({{"at", run.at}, {"shown", run.shown}});
    return array.dump();
}

std::string json_of(std::span<const storage::ScheduleRun> runs) {
    auto array = nlohmann::ordered_json::array();
    for (const auto& run : runs) {
        array.push_back({{"due_at", run.due_at}, {"fired_at", run.fired_at}, {"how", run.how}, {"times", run.times}});
        array.back()["job"] = run.job ? nlohmann::ordered_json(*run.job) : nlohmann::ordered_json();
    }
    return array.dump();
}

Table record_of(const storage::ScheduleRow& schedule, std::span<const storage::NextRun> next,
                std::span<const storage::ScheduleRun> runs) {
    Table table{{{"name"},
                 {"cron"},
                 {"time_zone"},
                 {"queue"},
                 {"kind"},
                 {"priority"},
                 {"max_attempts"},
                 {"timeout"},
                 {"misfire"},
                 {"jitter"},
                 {"due_key"},
                 {"paused"},
                 {"error"},
                 {"created_at"},
                 {"changed_at"},
                 {"next_run_at"},
                 {"next_runs", Column::For::programs},
                 {"runs", Column::For::programs},
                 {"payload"}}};
    table.add({Cell::of(schedule.name, Tone::strong), Cell::of(schedule.cron), Cell::of(schedule.time_zone),
               Cell::of(schedule.queue), Cell::of(schedule.kind), Cell::of(std::int64_t{schedule.priority}),
               maybe_number(schedule.max_attempts), Cell::maybe(schedule.timeout), Cell::of(schedule.misfire),
               Cell::of(schedule.jitter), Cell::maybe(schedule.due_key), Cell::json(schedule.paused ? "true" : "false"),
               error_of(schedule), Cell::of(schedule.created_at), Cell::of(schedule.changed_at),
               Cell::maybe(schedule.next_run_at), Cell::json(json_of(next)), Cell::json(json_of(runs)),
               Cell::json(schedule.payload)});
    return table;
}

void print_next(const Invocation& invocation, const std::vector<storage::NextRun>& runs, const std::string& zone) {
    Table table{{{"next"}, {zone}}};
    for (const auto& run : runs)
        table.add({Cell::of(run.at), Cell::of(run.shown)});
    invocation.console.out << '\n';
    table.print(invocation.console.out, invocation.console.out_screen);
}

void print_runs(const Invocation& invocation, const std::vector<storage::ScheduleRun>& runs) {
    Table table{{{"was_due"}, {"fired"}, {"how"}, {"times"}, {"job"}}};
    for (const auto& run : runs) {
        table.add({Cell::of(run.due_at), Cell::of(run.fired_at),
                   Cell::of(run.how, run.how == "skipped" ? Tone::bad : Tone::plain), Cell::of(run.times),
                   maybe_number(run.job)});
    }
    invocation.console.out << '\n';
    table.print(invocation.console.out, invocation.console.out_screen);
}

// The server knows no such schedule; whoever typed the name may be helped by one that is like it.
std::string remedy_for(storage::ScheduleStore& store, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& schedule : store.schedules())
        names.push_back(schedule.name);
    const auto meant = core::nearest(name, names);
    return meant ? fmt::format("Did you mean \"{}\"?", *meant) : "millrace schedules has their names.";
}

Exit show_schedule(const Invocation& invocation, storage::ScheduleStore& store) {
    const auto& words = invocation.arguments.words();
    const auto count = invocation.arguments.number("next", 1, most_next_runs).value_or(5);
    const auto schedule = store.schedule(words[1]);
    if (!schedule) {
        invocation.console.complain(fmt::format("no schedule \"{}\"", words[1]), remedy_for(store, words[1]));
        return Exit::nothing;
    }
    std::vector<storage::NextRun> next;
    if (!schedule->paused) next = store.next_runs(schedule->cron, schedule->time_zone, count);
    const auto runs = store.runs(schedule->name, shown_runs);
    const auto table = record_of(*schedule, next, runs);
    if (invocation.arguments.has("json")) {
        table.print_json_record(invocation.console.out);
        return Exit::done;
    }
    table.print_record(invocation.console.out, invocation.console.out_screen);
    if (!next.empty()) print_next(invocation, next, schedule->time_zone);
    if (!runs.empty()) print_runs(invocation, runs);
    return Exit::done;
}

storage::ScheduleOrder order_of(const Arguments& arguments) {
    const auto& words = arguments.words();
    storage::ScheduleOrder order;
    order.name = words[1];
    order.cron = words[2];
    order.queue = words[3];
    order.kind = words[4];
    if (words.size() == 6) order.payload = words[5];
    if (const auto problem = json_problem(order.payload)) {
        throw UsageError{fmt::format("the payload is not JSON: {}", *problem)};
    }
    order.time_zone = arguments.value("time-zone").value_or(order.time_zone);
    order.misfire = arguments.value("misfire").value_or(order.misfire);
    require_known("misfire", order.misfire, {"skip", "once", "all"});
    order.jitter = arguments.duration("jitter").value_or(order.jitter);
    order.due_key = arguments.value("due-key");
    order.priority = arguments.number("priority", 0, 9).value_or(order.priority);
    order.max_attempts = arguments.number("max-attempts", 1, 1000);
    order.timeout = arguments.duration("timeout");
    return order;
}

Exit create_schedule(const Invocation& invocation, storage::ScheduleStore& store) {
    const auto order = order_of(invocation.arguments);
    const auto change = store.create(order);
    if (invocation.arguments.has("json")) {
        Table table{{{"name"}, {"outcome"}, {"changed"}, {"next_run_at"}}};
        table.add({Cell::of(order.name), Cell::of(change.outcome), Cell::json(change.changed),
                   Cell::maybe(change.next_run_at)});
        table.print_json_record(invocation.console.out);
        return Exit::done;
    }
    auto& out = invocation.console.out;
    out << change.outcome << ' ' << order.name;
    if (change.outcome == "changed") {
        std::string names;
        for (const auto& name : nlohmann::json::parse(change.changed))
            names += (names.empty() ? ": " : ", ") + name.get<std::string>();
        out << names;
    }
    out << "; " << (change.next_run_at ? "next run at " + *change.next_run_at : "it is paused") << '\n';
    return Exit::done;
}

// One schedule; what became of it is a row of the table, and a line for people.
std::string act(const std::string& verb, const std::string& name, storage::ScheduleStore& store, Table& table) {
    std::string outcome;
    Cell job;
    if (verb == "pause") {
        outcome = store.pause(name) ? "paused" : "already paused";
    } else if (verb == "resume") {
        outcome = store.resume(name) ? "resumed" : "not paused";
    } else if (verb == "remove") {
        store.remove(name);
        outcome = "removed";
    } else {
        const auto id = store.run_now(name);
        job = Cell::of(id.value);
        outcome = fmt::format("enqueued {} of", id.value);
    }
    table.add({Cell::of(name), Cell::of(verb == "run" ? "enqueued" : outcome), job});
    return outcome + " " + name;
}

Exit change_schedules(const Invocation& invocation, storage::ScheduleStore& store, const std::string& verb) {
    const auto& words = invocation.arguments.words();
    const bool is_json = invocation.arguments.has("json");
    Table table{{{"name"}, {"outcome"}, {"job"}}};
    auto status = Exit::done;
    for (auto name = words.begin() + 1; name != words.end() && status == Exit::done; ++name) {
        try {
            const auto line = act(verb, *name, store, table);
            if (!is_json) invocation.console.out << line << '\n';
        } catch (const storage::Error& error) {
            if (error.sqlstate() != "MR014") throw;
            invocation.console.out.flush();
            invocation.console.complain(error.what(), remedy_for(store, *name));
            status = Exit::failed;
        }
    }
    if (is_json) table.print_json(invocation.console.out);
    return status;
}

constexpr std::array verbs{
    Verb{"list", 0, 0, "takes no names: schedules show NAME", "json"},
    Verb{"show", 1, 1, "needs one schedule's name", "next json"},
    Verb{"create", 4, 5,
         "needs a name, a cron expression (quoted as one word), a queue, a kind, and at most one payload",
         "time-zone misfire jitter due-key priority max-attempts timeout json"},
    Verb{"pause", 1, any_number, "needs a name", "json"},
    Verb{"resume", 1, any_number, "needs a name", "json"},
    Verb{"run", 1, any_number, "needs a name", "json"},
    Verb{"remove", 1, any_number, "needs a name", "json"},
};

Exit run(const Invocation& invocation) {
    const std::string verb{verb_of("schedules", invocation.arguments, verbs).name};
    if (verb == "create") static_cast<void>(order_of(invocation.arguments));  // before there is a connection
    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("schedules");
    storage::ScheduleStore store{*session};
    if (verb == "list") return list_schedules(invocation, store);
    if (verb == "show") return show_schedule(invocation, store);
    if (verb == "create") return create_schedule(invocation, store);
    return change_schedules(invocation, store, verb);
}

}  // namespace

Command schedules_command() {
    return {.name = "schedules",
            .summary = "lists and shows schedules; creates, pauses, resumes, runs and removes them",
            .usage =
                "millrace schedules [list] [--json]\n"
                "millrace schedules show NAME [--next N] [--json]\n"
                "millrace schedules create NAME CRON QUEUE KIND [JSON] [--time-zone ZONE] [flags]\n"
                "millrace schedules pause|resume|run|remove NAME... [--json]",
            .details =
                "create makes the schedule, or brings the one of that name in line; what is not given becomes the\n"
                "default. From a paused schedule nothing comes, and what was due meanwhile is not made up for.\n"
                "run enqueues one job at once, paused or not. remove forgets the schedule; its jobs stay.\n"
                "show has the times to come, by the zone's clocks too, and the last ten that were due.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
