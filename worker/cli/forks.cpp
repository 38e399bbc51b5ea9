#include "cli/forks.hpp"

#include "cli/answer.hpp"
#include "cli/forks_file.hpp"
#include "cli/input.hpp"
#include "cli/table.hpp"
#include "core/printable.hpp"
#include "handlers/forks/digest_text.hpp"
#include "storage/error.hpp"
#include "storage/fork_registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <ostream>

namespace millrace::cli {

namespace {

using storage::ForkRegistry;

constexpr std::size_t most_file_mib = 8;
constexpr int most_runs = 1000;
constexpr std::size_t most_shown_bytes = 60;  // of a value that an import changes, for people

constexpr std::array flags{
    Flag{"dry-run", "", "import, start: only say what would change, or be done"},
    Flag{"preview", "", "digest: what one would tell now, instead of the last that was sent"},
    Flag{"html", "", "digest: the HTML of it"},
    Flag{"limit", "NUMBER", "runs: so many, the newest (20)"},
    json_flag,
};

std::int64_t run_number(const std::string& word) {
    std::int64_t number = 0;
    const char* const end = word.data() + word.size();
    const auto [rest, failure] = std::from_chars(word.data(), end, number);
    if (failure != std::errc{} || rest != end || number < 1) {
        throw UsageError{fmt::format("\"{}\" is not a run's number", word)};
    }
    return number;
}

std::string joined(const std::string& json_list) {
    return fmt::format("{}", fmt::join(nlohmann::json::parse(json_list).get<std::vector<std::string>>(), " "));
}

// What an import makes of the keys of an entry: branches: ["main"] → ["main","17.0"], enabled: true → false
std::string changes_in(const nlohmann::json& changed) {
    const auto shown = [](const nlohmann::json& value) {
        return core::printable(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), most_shown_bytes);
    };
    std::vector<std::string> keys;
    for (const auto& [key, value] : changed.items())
        keys.push_back(fmt::format("{}: {} → {}", key, shown(value.at("from")), shown(value.at("to"))));
    return fmt::format("{}", fmt::join(keys, ", "));
}

Exit list_forks(const Invocation& invocation, ForkRegistry& registry) {
    using For = Column::For;
    Table table{{{"repo"},
                 {"provider"},
                 {"shown_branches", For::people},
                 {"branches", For::programs},
                 {"group"},
                 {"queue"},
                 {"enabled", For::programs},
                 {"state", For::people}}};
    for (const auto& fork : registry.forks()) {
        table.add({Cell::of(fork.repo, Tone::strong), Cell::of(fork.provider), Cell::of(joined(fork.branches)),
                   Cell::json(fork.branches), Cell::of(fork.group), Cell::of(fork.queue),
                   Cell::json(fork.enabled ? "true" : "false"),
                   fork.enabled ? Cell{} : Cell::of("disabled", Tone::bad)});
    }
    return show_rows(invocation, table, "no forks yet: millrace forks import FILE");
}

Exit import_forks(const Invocation& invocation, ForkRegistry& registry, const std::string& file,
                  const EntriesFile& forks) {
    const bool is_dry = invocation.arguments.has("dry-run");
    std::vector<storage::RegistryChange> changes;
    try {
        changes =
            registry.import(forks.document(), is_dry ? ForkRegistry::Import::dry_run : ForkRegistry::Import::apply);
    } catch (const storage::Error& error) {
        const auto where = forks.located(file, "import_forks", error.what());
        if (!where) throw;
        invocation.console.complain(*where + "; nothing was imported", error.hint());
        return Exit::failed;
    }
    using For = Column::For;
    Table table{{{"what"}, {"name"}, {"outcome"}, {"keys", For::people}, {"changed", For::programs}}};
    for (const auto& change : changes) {
        const bool is_old = change.outcome == "changed";
        table.add({Cell::of(change.what), Cell::of(change.name, Tone::strong), Cell::of(change.outcome),
                   is_old ? Cell::of(changes_in(nlohmann::json::parse(change.changed))) : Cell{},
                   Cell::json(change.changed)});
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

Exit sync(const Invocation& invocation, ForkRegistry& registry) {
    const auto& words = invocation.arguments.words();
    const auto jobs = registry.sync(words[1], words.size() > 2 ? std::optional{words[2]} : std::nullopt);
    Table table{{{"job"}}};
    for (const auto& job : jobs)
        table.add({Cell::of(job.value)});
    return show_rows(invocation, table, "");
}

Tone tone_of(const std::string& state) {
    if (state == "failed" || state == "conflict" || state == "cancelled") return Tone::bad;
    return state == "running" || state == "pending" || state == "cancelling" ? Tone::busy : Tone::plain;
}

Table table_of(const std::vector<storage::RunRow>& runs) {
    using For = Column::For;
    Table table{{{"id"},
                 {"group"},
                 {"state"},
                 {"started", For::people},
                 {"started_at", For::programs},
                 {"finished_at", For::programs},
                 {"branches"},
                 {"updated"},
                 {"current"},
                 {"skipped"},
                 {"failed"},
                 {"diverged"},
                 {"pending"},
                 {"digest_job", For::programs}}};
    for (const auto& run : runs) {
        table.add({Cell::of(run.id, Tone::strong), Cell::of(run.group), Cell::of(run.state, tone_of(run.state)),
                   Cell::of(rough_age(run.age_seconds) + " ago"), Cell::of(run.started_at),
                   Cell::maybe(run.finished_at), Cell::of(run.branches), Cell::of(run.updated), Cell::of(run.current),
                   Cell::of(run.skipped), Cell::of(run.failed, run.failed > 0 ? Tone::bad : Tone::plain),
                   Cell::of(run.diverged), Cell::of(run.pending), run.digest_job ? Cell::of(*run.digest_job) : Cell{}});
    }
    return table;
}

Exit no_run(const Invocation& invocation, std::int64_t run) {
    invocation.console.complain(fmt::format("no run {}", run), "millrace forks runs has their numbers.");
    return Exit::nothing;
}

Exit show_run(const Invocation& invocation, ForkRegistry& registry, std::int64_t id) {
    const auto run = registry.run(id);
    if (!run) return no_run(invocation, id);
    Table table{{{"step"},
                 {"fork"},
                 {"branch"},
                 {"item"},
                 {"state"},
                 {"divergence"},
                 {"ahead"},
                 {"behind"},
                 {"job"},
                 {"detail"}}};
    const auto maybe = [](const std::optional<std::int64_t>& number) { return number ? Cell::of(*number) : Cell{}; };
    for (const auto& item : registry.items(id)) {
        table.add({Cell::of(item.step), Cell::of(item.fork, Tone::strong), Cell::of(item.branch),
                   Cell::maybe(item.item), Cell::of(item.state, tone_of(item.state)), Cell::maybe(item.divergence),
                   maybe(item.ahead), maybe(item.behind), maybe(item.job), Cell::maybe(item.detail)});
    }
    auto& out = invocation.console.out;
    if (!invocation.arguments.has("json")) {
        table_of({*run}).print(out, invocation.console.out_screen);
        out << '\n';
    }
    return show_rows(invocation, table, "");
}

Exit report(const Invocation& invocation, std::int64_t run, const std::string& outcome) {
    if (invocation.arguments.has("json")) {
        Table table{{{"run"}, {"outcome"}}};
        table.add({Cell::of(run), Cell::of(outcome)});
        table.print_json_record(invocation.console.out);
    } else {
        invocation.console.out << outcome << " run " << run << '\n';
    }
    return Exit::done;
}

Exit plan_run(const Invocation& invocation, ForkRegistry& registry, const std::string& group) {
    Table table{{{"step"}, {"fork"}, {"branch"}}};
    for (const auto& each : registry.plan(group))
        table.add({Cell::of(each.step), Cell::of(each.target, Tone::strong), Cell::of(each.branch)});
    const auto exit = show_rows(invocation, table, "a run would have nothing to do: no fork of this group is enabled");
    if (table.rows() > 0 && !invocation.arguments.has("json")) {
        invocation.console.err << "nothing was started: a dry run\n";
    }
    return exit;
}

Exit change_run(const Invocation& invocation, ForkRegistry& registry, const std::string& verb) {
    const auto& word = invocation.arguments.words()[1];
    if (verb == "start" && invocation.arguments.has("dry-run")) return plan_run(invocation, registry, word);
    if (verb == "start") return report(invocation, registry.start(word), "started");
    const auto run = run_number(word);
    if (verb == "cancel") return report(invocation, run, registry.cancel(run));
    return report(invocation, run, fmt::format("enqueued {} jobs of", registry.resume(run)));
}

Exit show_digest(const Invocation& invocation, ForkRegistry& registry, std::int64_t run) {
    if (!registry.run(run)) return no_run(invocation, run);
    const auto digest = invocation.arguments.has("preview")
                            ? std::optional{handlers::forks::write_digest(registry.digest_content(run))}
                            : registry.digest(run);
    if (!digest) {
        invocation.console.complain(fmt::format("run {} has no digest", run),
                                    "--preview shows what one would tell now.");
        return Exit::nothing;
    }
    if (invocation.arguments.has("json")) {
        Table table{{{"run"}, {"subject"}, {"failures"}, {"text"}, {"html"}}};
        table.add({Cell::of(run), Cell::of(digest->subject), Cell::of(std::int64_t{digest->failures}),
                   Cell::of(digest->text), Cell::of(digest->html)});
        table.print_json_record(invocation.console.out);
    } else {
        invocation.console.out << (invocation.arguments.has("html") ? digest->html : digest->text);
    }
    return Exit::done;
}

Exit switch_forks(const Invocation& invocation, ForkRegistry& registry, const std::string& verb) {
    const auto& words = invocation.arguments.words();
    return change_each(invocation, std::span{words}.subspan(1), [&](const std::string& repo) {
        if (verb == "enable") {
            registry.enable(repo);
        } else {
            registry.disable(repo);
        }
        return verb + "d";
    });
}

constexpr std::array verbs{
    Verb{"list", 0, 0, "takes no words", "json"},
    Verb{"import", 1, 1, "needs one file, or - for standard input", "dry-run json"},
    Verb{"export", 0, 0, "takes no words", ""},
    Verb{"enable", 1, any_number, "needs the names of forks", "json"},
    Verb{"disable", 1, any_number, "needs the names of forks", "json"},
    Verb{"sync", 1, 2, "needs a fork, and at most one branch", "json"},
    Verb{"start", 1, 1, "needs one group", "dry-run json"},
    Verb{"runs", 0, 0, "takes no words", "limit json"},
    Verb{"show", 1, 1, "needs one run's number", "json"},
    Verb{"cancel", 1, 1, "needs one run's number", "json"},
    Verb{"resume", 1, 1, "needs one run's number", "json"},
    Verb{"digest", 1, 1, "needs one run's number", "preview html json"},
};

Exit run_with(const Invocation& invocation, const std::string& verb, ForkRegistry& registry) {
    const auto& words = invocation.arguments.words();
    if (verb == "list") return list_forks(invocation, registry);
    if (verb == "sync") return sync(invocation, registry);
    if (verb == "enable" || verb == "disable") return switch_forks(invocation, registry, verb);
    if (verb == "export") {
        invocation.console.out << write_entries(forks_format, registry.export_document());
        return Exit::done;
    }
    if (verb == "runs") {
        const auto limit = invocation.arguments.number("limit", 1, most_runs).value_or(20);
        return show_rows(invocation, table_of(registry.runs(limit)), "no runs yet: millrace forks start GROUP");
    }
    if (verb == "show") return show_run(invocation, registry, run_number(words[1]));
    if (verb == "digest") return show_digest(invocation, registry, run_number(words[1]));
    return change_run(invocation, registry, verb);
}

Exit run(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    const std::string verb{verb_of("forks", invocation.arguments, verbs).name};
    const storage::SessionFactory sessions{invocation.options.database_url};
    if (verb != "import") {
        const auto session = sessions.open("forks");
        ForkRegistry registry{*session};
        return run_with(invocation, verb, registry);
    }
    const auto text = read_file(invocation, words[1], most_file_mib);
    try {
        const EntriesFile forks{forks_format, text};
        const auto session = sessions.open("forks");
        ForkRegistry registry{*session};
        return import_forks(invocation, registry, words[1], forks);
    } catch (const BadEntriesFile& error) {
        invocation.console.complain(fmt::format("{}:{}", words[1], error.what()), "Nothing was imported.");
        return Exit::failed;
    }
}

}  // namespace

Command forks_command() {
    return {.name = "forks",
            .summary = "keeps forks up to date: imports and lists them, starts runs and shows what they found",
            .usage =
                "millrace forks [list] [--json]\n"
                "millrace forks import FILE|- [--dry-run] [--json]\n"
                "millrace forks export\n"
                "millrace forks enable|disable REPO... [--json]\n"
                "millrace forks sync REPO [BRANCH] [--json]\n"
                "millrace forks start GROUP [--dry-run] [--json]\n"
                "millrace forks runs [--limit N] [--json]\n"
                "millrace forks show RUN [--json]\n"
                "millrace forks cancel|resume RUN [--json]\n"
                "millrace forks digest RUN [--preview] [--html] [--json]",
            .details =
                "import takes all of a file or nothing of it, and says what changes; config/forks.yml is an example.\n"
                "Forks that the file does not name are left alone. start begins a run of a group: a job for each\n"
                "branch, then the digest. resume does again what has not succeeded.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
