#include "cli/migrate.hpp"

#include "cli/answer.hpp"
#include "cli/input.hpp"
#include "cli/table.hpp"
#include "storage/migrator.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

namespace {

using Verdict = storage::MigrationState::Verdict;

constexpr std::array flags{Flag{"dry-run", "", "up: say what would be done, and do nothing"}, json_flag};

std::pair<const char*, Tone> shown(Verdict verdict) {
    switch (verdict) {
        case Verdict::applied:
            return {"applied", Tone::good};
        case Verdict::pending:
            return {"pending", Tone::busy};
        case Verdict::changed:
            return {"changed after it was applied", Tone::bad};
        case Verdict::missing:
            return {"left out", Tone::bad};
        case Verdict::unknown:
            return {"newer than this program", Tone::bad};
    }
    return {"", Tone::plain};
}

bool is_misfit(const storage::MigrationState& migration) {
    return migration.verdict != Verdict::applied && migration.verdict != Verdict::pending;
}

Exit print_status(const Invocation& invocation) {
    const auto state = storage::Migrator{storage::SessionFactory{invocation.options.database_url}}.state();
    Table table{{{"number"}, {"name"}, {"state"}, {"applied_at"}, {"applied_by"}}};
    for (const auto& migration : state.migrations) {
        const auto [text, tone] = shown(migration.verdict);
        const bool was_applied = !migration.applied_at.empty();
        table.add({Cell::of(std::int64_t{migration.number}), Cell::of(migration.name), Cell::of(text, tone),
                   was_applied ? Cell::of(migration.applied_at) : Cell{},
                   was_applied ? Cell::of(migration.applied_by) : Cell{}});
    }
    const bool current = state.functions == storage::FunctionsState::current;
    table.add({Cell{}, Cell::of("functions and views"),
               Cell::of(current ? "applied" : "pending", current ? Tone::good : Tone::busy), Cell{}, Cell{}});
    if (invocation.arguments.has("json")) {
        table.print_json(invocation.console.out);
    } else {
        table.print(invocation.console.out, invocation.console.out_screen);
    }
    const bool fits = std::none_of(state.migrations.begin(), state.migrations.end(), is_misfit);
    return fits ? Exit::done : Exit::failed;
}

Exit nothing_to_do(const Invocation& invocation, std::string_view line) {
    invocation.console.out << (invocation.arguments.has("json") ? "[]\n" : line);
    return Exit::done;
}

Exit print_plan(const Invocation& invocation) {
    const auto state = storage::Migrator{storage::SessionFactory{invocation.options.database_url}}.state();
    storage::refuse_misfit(state);
    std::vector<std::string> steps;
    for (const auto& migration : state.migrations) {
        if (migration.verdict == Verdict::pending) steps.push_back(migration.name);
    }
    if (state.functions == storage::FunctionsState::pending) steps.emplace_back("functions and views");
    if (steps.empty()) return nothing_to_do(invocation, "nothing to do\n");
    return change_each(invocation, steps, [](const std::string&) { return "would apply"; });
}

Exit migrate_up(const Invocation& invocation) {
    auto& out = invocation.console.out;
    const bool is_json = invocation.arguments.has("json");
    storage::Migrator migrator{storage::SessionFactory{invocation.options.database_url}};
    Table table{{{"name"}, {"outcome"}}};
    const int steps = migrator.up([&](const std::string& step) {
        table.add({Cell::of(step), Cell::of("applied")});
        if (!is_json) out << "applied " << step << std::endl;
    });
    if (steps == 0) return nothing_to_do(invocation, "nothing to do: the schema is that of this program\n");
    if (is_json) table.print_json(out);
    return Exit::done;
}

constexpr std::array verbs{
    Verb{"up", 0, 0, "takes no words", "dry-run json"},
    Verb{"status", 0, 0, "takes no words", "json"},
};

Exit run(const Invocation& invocation) {
    const auto verb = verb_of("migrate", invocation.arguments, verbs).name;
    if (verb == "status") return print_status(invocation);
    return invocation.arguments.has("dry-run") ? print_plan(invocation) : migrate_up(invocation);
}

}  // namespace

Command migrate_command() {
    return {.name = "migrate",
            .summary = "brings the database's schema up to this program",
            .usage =
                "millrace migrate [up] [--dry-run] [--json]\n"
                "millrace migrate status [--json]",
            .details =
                "Migrations are applied in their order, each in one transaction; then the functions and views are\n"
                "replaced. Any number of migrators may run at once. A migration that was changed after it was\n"
                "applied, one that was left out, and a database newer than this program are refused.\n"
                "psql -f sql/install.sql does the same without this program.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
