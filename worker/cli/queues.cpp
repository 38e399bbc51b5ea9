#include "cli/queues.hpp"

#include "cli/table.hpp"
#include "storage/operator_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace millrace::cli {

namespace {

constexpr int most_payload_bytes = 64 * 1024 * 1024;

constexpr std::array flags{
    Flag{"max-attempts", "NUMBER", "create: tries before a job is a dead letter (10)"},
    Flag{"timeout", "DURATION", "create: of one attempt (none)"},
    Flag{"retry-base", "DURATION", "create: first backoff, doubled each time (5s)"},
    Flag{"retry-cap", "DURATION", "create: longest backoff (1h)"},
    Flag{"max-payload-bytes", "NUMBER", "create: of a payload's JSON text (1048576)"},
    Flag{"retention", "DURATION", "create: how long finished jobs are kept (7d)"},
    json_flag,
};

Tone tone_of(std::int64_t number, Tone unless_zero) {
    return number == 0 ? Tone::faint : unless_zero;
}

Exit list_queues(const Invocation& invocation, storage::OperatorStore& store) {
    using For = Column::For;
    Table table{{{"name"},
                 {"available"},
                 {"scheduled"},
                 {"running"},
                 {"dead"},
                 {"completed"},
                 {"failed"},
                 {"cancelled"},
                 {"oldest", For::people},
                 {"oldest_age_seconds", For::programs}}};
    for (const auto& queue : store.queues()) {
        const auto age = queue.oldest_age_seconds;
        table.add({Cell::of(queue.name, Tone::strong), Cell::of(queue.available, tone_of(queue.available, Tone::plain)),
                   Cell::of(queue.scheduled, tone_of(queue.scheduled, Tone::plain)),
                   Cell::of(queue.running, tone_of(queue.running, Tone::busy)),
                   Cell::of(queue.dead, tone_of(queue.dead, Tone::bad)),
                   Cell::of(queue.completed, tone_of(queue.completed, Tone::good)),
                   Cell::of(queue.failed, tone_of(queue.failed, Tone::bad)),
                   Cell::of(queue.cancelled, tone_of(queue.cancelled, Tone::plain)),
                   age ? Cell::of(rough_age(*age)) : Cell{}, age ? Cell::json(fmt::format("{:.3f}", *age)) : Cell{}});
    }
    if (invocation.arguments.has("json")) {
        table.print_json(invocation.console.out);
    } else if (table.rows() == 0) {
        invocation.console.err << "no queues yet: millrace queues create NAME\n";
    } else {
        table.print(invocation.console.out, invocation.console.out_screen);
    }
    return table.rows() == 0 ? Exit::nothing : Exit::done;
}

Exit create_queues(const Invocation& invocation, storage::OperatorStore& store) {
    const auto& arguments = invocation.arguments;
    storage::QueuePolicy policy;
    policy.max_attempts = arguments.number("max-attempts", 1, 1000).value_or(policy.max_attempts);
    policy.timeout = arguments.duration("timeout");
    policy.retry_base = arguments.duration("retry-base").value_or(policy.retry_base);
    policy.retry_cap = arguments.duration("retry-cap").value_or(std::max(policy.retry_cap, policy.retry_base));
    policy.max_payload_bytes =
        arguments.number("max-payload-bytes", 2, most_payload_bytes).value_or(policy.max_payload_bytes);
    policy.retention = arguments.duration("retention").value_or(policy.retention);

    const auto& words = arguments.words();
    if (words.size() < 2) throw UsageError{"queues create needs a name"};
    for (auto name = words.begin() + 1; name != words.end(); ++name) {
        store.create_queue(*name, policy);
        invocation.console.out << "created " << *name << '\n';
    }
    return Exit::done;
}

Exit run(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    const auto verb = words.empty() ? std::string{"list"} : words.front();
    require_known("verb", verb, {"list", "create"});
    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("queues");
    storage::OperatorStore store{*session};
    return verb == "create" ? create_queues(invocation, store) : list_queues(invocation, store);
}

}  // namespace

Command queues_command() {
    return {.name = "queues",
            .summary = "what waits, runs and has failed in each queue; creates queues",
            .usage =
                "millrace queues [list] [--json]\n"
                "millrace queues create NAME... [--max-attempts N] [--timeout D] [--retry-base D] ...",
            .details = "completed, failed and cancelled count since the queue was created; failed counts attempts.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
