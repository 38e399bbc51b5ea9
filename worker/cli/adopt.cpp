#include "cli/adopt.hpp"

#include "storage/operator_store.hpp"

#include <ostream>

namespace millrace::cli {

namespace {

Exit run(const Invocation& invocation) {
    if (!invocation.arguments.words().empty()) throw UsageError{"adopt takes no words"};
    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("adopt");
    storage::OperatorStore{*session}.adopt();
    invocation.console.out << "adopted: workers run the jobs of this database from now on\n";
    return Exit::done;
}

}  // namespace

Command adopt_command() {
    return {.name = "adopt",
            .summary = "lets a restored or cloned database run its jobs",
            .usage = "millrace adopt",
            .details =
                "A database remembers the server and the name it was migrated under. Elsewhere it hands out no job,\n"
                "so that a copy does not mail the customers again. This says that the copy is meant to work:\n"
                "make sure that the original does not.",
            .flags = {},
            .run = run};
}

}  // namespace millrace::cli
