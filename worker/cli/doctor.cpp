#include "cli/doctor.hpp"

#include "cli/table.hpp"
#include "storage/error.hpp"
#include "storage/migrator.hpp"
#include "storage/operator_store.hpp"

#include <array>
#include <optional>
#include <ostream>
#include <string_view>

namespace millrace::cli {

namespace {

constexpr std::array flags{json_flag};

Tone tone_of(std::string_view severity) {
    if (severity == "critical") return Tone::bad;
    return severity == "warning" ? Tone::busy : Tone::faint;
}

// Which the functions of the database cannot know.
std::optional<storage::Finding> misfit(storage::Session& session) {
    try {
        storage::verify_schema(session);
        return std::nullopt;
    } catch (const storage::SchemaMismatch& mismatch) {
        return storage::Finding{.severity = "critical",
                                .finding = "another schema",
                                .about = "this program",
                                .detail = mismatch.what(),
                                .remedy = mismatch.hint()};
    }
}

Exit run(const Invocation& invocation) {
    if (!invocation.arguments.words().empty()) throw UsageError{"doctor takes no words"};
    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("doctor");
    Table table{{{"severity"}, {"finding"}, {"about"}, {"detail"}, {"remedy"}}};
    auto findings = storage::OperatorStore{*session}.findings();
    if (auto found = misfit(*session)) findings.insert(findings.begin(), *std::move(found));
    bool is_ill = false;
    for (const auto& each : findings) {
        is_ill |= each.severity != "note";
        table.add({Cell::of(each.severity, tone_of(each.severity)), Cell::of(each.finding, Tone::strong),
                   Cell::of(each.about), Cell::of(each.detail), Cell::of(each.remedy)});
    }
    if (invocation.arguments.has("json")) {
        table.print_json(invocation.console.out);
    } else if (table.rows() == 0) {
        invocation.console.err << "healthy: the doctor has found nothing\n";
    } else {
        table.print(invocation.console.out, invocation.console.out_screen);
    }
    return is_ill ? Exit::failed : Exit::done;
}

}  // namespace

Command doctor_command() {
    return {.name = "doctor",
            .summary = "what is wrong with this installation, and what to do about it",
            .usage = "millrace doctor [--json]",
            .details =
                "Exit status: 0 nothing but notes   1 something found   2 wrong usage, or it could not look.\n"
                "critical: jobs do not run, or may be lost. warning: it works, and will not for ever. note: somebody\n"
                "wanted it so, and may have forgotten. On a terminal long texts are cut; --json has them whole.",
            .flags = flags,
            .run = run,
            .failure = Exit::usage};
}

}  // namespace millrace::cli
