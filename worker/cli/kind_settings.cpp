#include "cli/kind_settings.hpp"

#include "cli/answer.hpp"
#include "cli/changes.hpp"
#include "cli/input.hpp"
#include "cli/table.hpp"
#include "storage/kind_store.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

namespace millrace::cli {

namespace {

constexpr std::array flags{json_flag};

Exit list_kinds(const Invocation& invocation, storage::KindStore& store) {
    Table table{{{"kind"},
                 {"max_attempts"},
                 {"timeout"},
                 {"retry_base"},
                 {"retry_cap"},
                 {"retry_delays"},
                 {"live_workers"},
                 {"paused_at"}}};
    for (const auto& kind : store.kinds()) {
        table.add({Cell::of(kind.name, Tone::strong), kind.max_attempts ? Cell::of(*kind.max_attempts) : Cell{},
                   Cell::maybe(kind.timeout), Cell::maybe(kind.retry_base), Cell::maybe(kind.retry_cap),
                   Cell::maybe(kind.retry_delays),
                   Cell::of(kind.live_workers, kind.live_workers == 0 ? Tone::bad : Tone::plain),
                   kind.paused_at ? Cell::of(*kind.paused_at, Tone::bad) : Cell{}});
    }
    return show_rows(invocation, table, "no worker lives, and no kind was configured");
}

Exit configure_kind(const Invocation& invocation, storage::KindStore& store) {
    const auto& words = invocation.arguments.words();
    return show_changes(invocation, store.configure(words[1], changes_of(std::span{words}.subspan(2))));
}

Exit pause_or_resume(const Invocation& invocation, storage::KindStore& store, bool pauses) {
    return change_each(invocation, std::span{invocation.arguments.words()}.subspan(1), [&](const std::string& kind) {
        const bool changed = pauses ? store.pause(kind) : store.resume(kind);
        return fmt::format("{}{}", changed ? "" : "already ", pauses ? "paused" : "running");
    });
}

constexpr std::array verbs{
    Verb{"list", 0, 0, "takes no kinds", "json"},
    Verb{"set", 2, any_number, "needs a kind and changes: kinds set email.send max_attempts=4", "json"},
    Verb{"pause", 1, any_number, "needs a kind", "json"},
    Verb{"resume", 1, any_number, "needs a kind", "json"},
};

Exit run(const Invocation& invocation) {
    const auto verb = verb_of("kinds", invocation.arguments, verbs).name;
    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("kinds");
    storage::KindStore store{*session};
    if (verb == "list") return list_kinds(invocation, store);
    if (verb == "set") return configure_kind(invocation, store);
    return pause_or_resume(invocation, store, verb == "pause");
}

}  // namespace

Command kinds_command() {
    return {.name = "kinds",
            .summary = "how jobs of each kind are tried, and who runs them; configures, pauses and resumes kinds",
            .usage =
                "millrace kinds [list] [--json]\n"
                "millrace kinds set KIND SETTING=VALUE... [--json]\n"
                "millrace kinds pause|resume KIND... [--json]",
            .details =
                "What a job does not say itself, its kind says; what that does not say, its queue. Settings are\n"
                "max_attempts, timeout, retry_base, retry_cap and retry_delays='{10 s, 5 minutes}'; none takes one\n"
                "away. Jobs of a paused kind stay available in every queue; what runs goes on. live_workers is how\n"
                "many workers would take a job of that kind.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
