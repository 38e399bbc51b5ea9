#include "cli/adopt.hpp"

#include "cli/table.hpp"
#include "storage/operator_store.hpp"

#include <array>
#include <ostream>

namespace millrace::cli {

namespace {

constexpr std::array flags{json_flag};

Exit run(const Invocation& invocation) {
    if (!invocation.arguments.words().empty()) throw UsageError{"adopt takes no words"};
    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("adopt");
    storage::OperatorStore{*session}.adopt();
    if (invocation.arguments.has("json")) {
        Table table{{{"outcome"}}};
        table.add({Cell::of("adopted")});
        table.print_json(invocation.console.out);
    } else {
        invocation.console.out << "adopted: workers run the jobs of this database from now on\n";
    }
    return Exit::done;
}

}  // namespace

Command adopt_command() {
    return {.name = "adopt",
            .summary = "lets a restored or cloned database run its jobs",
            .usage = "millrace adopt [--json]",
            .details =
                "A database remembers the server that it was migrated on, and its tables. Elsewhere it hands out no\n"
                "job, so that a copy does not mail the customers again. This says that the copy is meant to work:\n"
                "make sure that the original does not. Marks and positions of the old server are reset, its\n"
                "sessions end. After pg_restore, a clone or pg_upgrade; at home it changes nothing that matters.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
