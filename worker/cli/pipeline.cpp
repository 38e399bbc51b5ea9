#include "cli/pipeline.hpp"

#include "cli/answer.hpp"
#include "cli/input.hpp"
#include "cli/pipeline_file.hpp"
#include "cli/pipeline_log.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "engine/pause.hpp"
#include "storage/error.hpp"
#include "storage/pipeline_overview.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <ostream>

namespace millrace::cli {

namespace {

using storage::PipelineOverview;

constexpr const char* session_name = "pipeline";
constexpr std::size_t most_file_mib = 8;
constexpr int most_requests = 1000;
constexpr std::chrono::hours default_wait{1};
constexpr std::chrono::milliseconds between_looks{500};

constexpr std::array flags{
    Flag{"dry-run", "", "apply: only say what would change"},
    Flag{"project", "NAME", "gate: of this project, instead of the whole repository"},
    Flag{"wait", "", "gate: until there is a verdict, or there will be none"},
    Flag{"timeout", "DURATION", "gate: wait so long at most (1h)"},
    Flag{"max-age", "DURATION", "gate: fail when nobody has looked at the branch for so long"},
    Flag{"reason", "TEXT", "revalidate: why, for the history"},
    Flag{"limit", "NUMBER", "status: so many requests, the newest (20)"},
    log_queue_flag,
    log_follow_flag,
    json_flag,
};

Exit show_changes(const Invocation& invocation, const std::vector<storage::PipelineChange>& changes, bool is_dry) {
    using For = Column::For;
    Table table{{{"queue"}, {"outcome"}, {"settings", For::people}, {"changed", For::programs}}};
    for (const auto& change : changes) {
        const auto settings = nlohmann::json::parse(change.changed).get<std::vector<std::string>>();
        table.add({Cell::of(change.queue, Tone::strong), Cell::of(change.outcome),
                   Cell::of(fmt::format("{}", fmt::join(settings, " "))), Cell::json(change.changed)});
    }
    if (invocation.arguments.has("json")) {
        table.print_json(invocation.console.out);
    } else if (table.rows() == 0) {
        invocation.console.out << "all as it is in the file\n";
    } else {
        table.print(invocation.console.out, invocation.console.out_screen);
        if (is_dry) invocation.console.err << "nothing was changed: a dry run\n";
    }
    return Exit::done;
}

Exit apply(const Invocation& invocation, const storage::SessionFactory& sessions) {
    const auto& file = invocation.arguments.words()[1];
    const bool is_dry = invocation.arguments.has("dry-run");
    const auto text = read_file(invocation, file, most_file_mib);
    try {
        const EntriesFile queues{pipeline_format, text};
        const auto session = sessions.open(session_name);
        PipelineOverview overview{*session};
        const auto how = is_dry ? PipelineOverview::Apply::dry_run : PipelineOverview::Apply::for_good;
        try {
            return show_changes(invocation, overview.apply(queues.document(), how), is_dry);
        } catch (const storage::Error& error) {
            const auto where = queues.located(file, "apply", error.what());
            if (!where) throw;
            invocation.console.complain(*where + "; nothing was applied", error.hint());
        }
    } catch (const BadEntriesFile& error) {
        invocation.console.complain(fmt::format("{}:{}", file, error.what()), "Nothing was applied.");
    }
    return Exit::failed;
}

Tone tone_of(const std::string& verdict) {
    if (verdict == "green") return Tone::good;
    return verdict == "none" ? Tone::plain : Tone::bad;
}

Exit show_queues(const Invocation& invocation, PipelineOverview& overview) {
    using For = Column::For;
    Table table{{{"name"},
                 {"remote", For::programs},
                 {"ref", For::programs},
                 {"waiting"},
                 {"processing"},
                 {"latest_request"},
                 {"last_green_request"},
                 {"last_green_uri"},
                 {"looked", For::people}}};
    for (const auto& queue : overview.queues()) {
        const auto looked = queue.looked_seconds_ago ? Cell::of(rough_age(*queue.looked_seconds_ago) + " ago") : Cell{};
        table.add({Cell::of(queue.name, Tone::strong), Cell::of(queue.remote), Cell::of(queue.ref),
                   Cell::of(queue.waiting), Cell::of(queue.processing), Cell::of(queue.latest_request),
                   Cell::of(queue.last_green_request), Cell::maybe(queue.last_green_uri), looked});
    }
    return show_rows(invocation, table, "no pipeline queues yet: millrace pipeline apply FILE");
}

Exit show_requests(const Invocation& invocation, PipelineOverview& overview, const std::string& queue) {
    using For = Column::For;
    Table table{{{"number"},
                 {"reported", For::people},
                 {"accepted_at", For::programs},
                 {"state"},
                 {"verdict"},
                 {"roll_up"},
                 {"strategy", For::programs},
                 {"uri"},
                 {"culprit", For::programs},
                 {"reason"}}};
    const auto limit = invocation.arguments.number("limit", 1, most_requests).value_or(20);
    for (const auto& request : overview.requests(queue, limit)) {
        table.add({Cell::of(request.number, Tone::strong), Cell::of(rough_age(request.age_seconds) + " ago"),
                   Cell::of(request.accepted_at), Cell::of(request.state),
                   Cell::of(request.verdict, tone_of(request.verdict)),
                   request.roll_up ? Cell::json(*request.roll_up) : Cell{}, Cell::maybe(request.strategy),
                   Cell::of(request.uri), Cell::maybe(request.culprit), Cell::maybe(request.reason)});
    }
    return show_rows(invocation, table, "no requests of that pipeline queue");
}

Exit exit_of(const std::string& verdict) {
    if (verdict == "green") return Exit::done;
    if (verdict == "broken") return Exit::broken;
    return verdict == "flaky" ? Exit::flaky : Exit::no_verdict;
}

// The first answer that is final, or the one that there is at the end. A connection that was there and is lost ends
// nothing: a commit is not broken because the database was restarted.
std::optional<storage::GateAnswer> verdict_within(const Invocation& invocation, const storage::SessionFactory& sessions,
                                                  const storage::GateQuestion& question,
                                                  std::chrono::milliseconds timeout) {
    using Seconds = std::chrono::duration<double>;
    const auto begun_at = std::chrono::steady_clock::now();
    const auto passed = [&] { return std::chrono::steady_clock::now() - begun_at; };
    StatusLine line{invocation.console};
    auto session = sessions.open(session_name);
    while (true) {
        std::string found = "unknown while the database cannot be reached";
        try {
            if (!session) session = sessions.open(session_name);
            auto answer = PipelineOverview{*session}.gate(question);
            if ((answer && answer->is_final) || passed() >= timeout) return answer;
            found = answer ? answer->state : "not reported";
        } catch (const storage::ConnectionLost&) {
            session.reset();
            if (passed() >= timeout) throw;
        }
        line.show(fmt::format("{} is {}; no verdict after {} of {}", harmless(question.commit), found,
                              rough_age(Seconds{passed()}.count()), rough_age(Seconds{timeout}.count())));
        engine::pause({}, between_looks);
    }
}

Exit gate(const Invocation& invocation, const storage::SessionFactory& sessions) {
    const auto& arguments = invocation.arguments;
    const storage::GateQuestion question{.queue = arguments.words()[1],
                                         .commit = arguments.words()[2],
                                         .project = arguments.value("project").value_or(""),
                                         .max_age = arguments.duration("max-age")};
    const auto timeout = arguments.duration("timeout");
    if (timeout && !arguments.has("wait")) throw UsageError{"--timeout goes with --wait"};
    const auto answer = arguments.has("wait")
                            ? verdict_within(invocation, sessions, question, timeout.value_or(default_wait))
                            : PipelineOverview{*sessions.open(session_name)}.gate(question);
    const auto verdict = answer ? answer->verdict : "none";
    if (arguments.has("json")) {
        Table table{{{"verdict"}, {"uri"}, {"state"}}};
        table.add(
            {Cell::of(verdict), answer ? Cell::of(answer->uri) : Cell{}, answer ? Cell::of(answer->state) : Cell{}});
        table.print_json_record(invocation.console.out);
    } else if (answer) {
        invocation.console.out << fmt::format("{} ({}): {}\n", verdict, answer->state, harmless(answer->uri));
    } else {
        invocation.console.out << "none (never reported): " << harmless(question.commit) << '\n';
    }
    return exit_of(verdict);
}

Exit revalidate(const Invocation& invocation, PipelineOverview& overview) {
    const auto& words = invocation.arguments.words();
    const auto reason = invocation.arguments.value("reason");
    if (!reason) throw UsageError{"revalidate needs --reason TEXT: it stays in the history"};
    const auto attempt = overview.revalidate(words[1], words[2], *reason);
    if (invocation.arguments.has("json")) {
        Table table{{{"attempt"}}};
        table.add({Cell::of(std::int64_t{attempt})});
        table.print_json_record(invocation.console.out);
    } else {
        invocation.console.out << "attempt " << attempt << " begins\n";
    }
    return Exit::done;
}

constexpr std::array verbs{
    Verb{"status", 0, 1, "takes one pipeline queue at most", "limit json"},
    Verb{"apply", 1, 1, "needs one file, or - for standard input", "dry-run json"},
    Verb{"export", 0, 0, "takes no words", ""},
    Verb{"gate", 2, 2, "needs a pipeline queue and a commit", "project wait timeout max-age json"},
    Verb{"revalidate", 2, 2, "needs a pipeline queue and a URI", "reason json"},
    Verb{"log", 1, 2, "needs a build, and perhaps -f", "queue follow"},
};

Exit run(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    const auto verb = verb_of("pipeline", invocation.arguments, verbs).name;
    const storage::SessionFactory sessions{invocation.options.database_url};
    if (verb == "apply") return apply(invocation, sessions);
    if (verb == "log") return pipeline_log(invocation);
    if (verb == "gate") return gate(invocation, sessions);
    const auto session = sessions.open(session_name);
    PipelineOverview overview{*session};
    if (verb == "export") {
        invocation.console.out << write_entries(pipeline_format, overview.export_document());
        return Exit::done;
    }
    if (verb == "revalidate") return revalidate(invocation, overview);
    return words.size() < 2 ? show_queues(invocation, overview) : show_requests(invocation, overview, words[1]);
}

}  // namespace

Command pipeline_command() {
    return {.name = "pipeline",
            .summary = "which commits of a branch are green: configures, shows and asks pipeline queues",
            .usage =
                "millrace pipeline [status] [QUEUE] [--limit N] [--json]\n"
                "millrace pipeline apply FILE|- [--dry-run] [--json]\n"
                "millrace pipeline export\n"
                "millrace pipeline gate QUEUE URI|COMMIT [--project P] [--wait [--timeout D]] [--max-age D] [--json]\n"
                "millrace pipeline revalidate QUEUE URI --reason TEXT [--json]\n"
                "millrace pipeline log BUILD [-f] [--queue NAME]",
            .details =
                "apply takes all of a file or nothing of it, and says what changes: see config/pipeline.yml.\n"
                "Pipeline queues that the file does not name are left alone.\n"
                "gate ends with 0 when the commit is green, 10 broken, 11 without a verdict, 12 flaky; with anything\n"
                "else it has failed, and the commit must not pass either.\n"
                "log prints what the command of a build has written; with -f it goes on until the build ends. Why it\n"
                "ended goes to standard error. log ends with 3 when there is no such build, or its log is gone.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
