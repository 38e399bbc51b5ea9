#include "cli/explain.hpp"

#include "cli/table.hpp"
#include "storage/error.hpp"

#include <ostream>
#include <string_view>

namespace millrace::cli {

namespace {

Tone tone_of(std::string_view cause) {
    if (cause == "running" || cause == "next" || cause == "completed") return Tone::good;
    if (cause == "dead letter" || cause == "worker lost" || cause == "no worker") return Tone::bad;
    return Tone::plain;
}

}  // namespace

Exit explain_job(const Invocation& invocation, storage::OperatorStore& store, core::JobId id) {
    Table table{{{"cause"}, {"why"}, {"remedy"}}};
    try {
        for (const auto& each : store.explain(id)) {
            table.add({Cell::of(each.cause, tone_of(each.cause)), Cell::of(each.why), Cell::maybe(each.remedy)});
        }
    } catch (const storage::Error& error) {
        if (error.sqlstate() != "MR006") throw;
        invocation.console.complain(error.what(), error.hint());
        return Exit::nothing;
    }
    if (invocation.arguments.has("json")) {
        table.print_json(invocation.console.out);
    } else {
        table.print(invocation.console.out, invocation.console.out_screen);
    }
    return Exit::done;
}

}  // namespace millrace::cli
