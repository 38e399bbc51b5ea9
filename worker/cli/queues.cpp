#include "cli/queues.hpp"

#include "cli/answer.hpp"
#include "cli/changes.hpp"
#include "cli/input.hpp"
#include "cli/table.hpp"
#include "storage/operator_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace millrace::cli {

namespace {

constexpr int most_at_one_time = 1'000'000;
constexpr int most_payload_bytes = 64 * 1024 * 1024;

constexpr std::array flags{
    Flag{"max-attempts", "NUMBER", "create: tries before a job is a dead letter (10)"},
    Flag{"timeout", "DURATION", "create: of one attempt (none)"},
    Flag{"retry-base", "DURATION", "create: first backoff, doubled each time (5s)"},
    Flag{"retry-cap", "DURATION", "create: longest backoff (1h)"},
    Flag{"max-payload-bytes", "NUMBER", "create: of a payload's JSON text (1048576)"},
    Flag{"retention", "DURATION", "create: how long finished jobs are kept (7d)"},
    Flag{"max-running", "NUMBER", "create: jobs at one time, over all workers (no limit)"},
    Flag{"key-limit", "NUMBER", "create: jobs of one concurrency key at one time (1)"},
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
                 {"blocked"},
                 {"running"},
                 {"dead"},
                 {"completed"},
                 {"failed"},
                 {"cancelled"},
                 {"oldest", For::people},
                 {"oldest_age_seconds", For::programs},
                 {"paused_at"}}};
    for (const auto& queue : store.queues()) {
        const auto age = queue.oldest_age_seconds;
        table.add({Cell::of(queue.name, Tone::strong), Cell::of(queue.available, tone_of(queue.available, Tone::plain)),
                   Cell::of(queue.scheduled, tone_of(queue.scheduled, Tone::plain)),
                   Cell::of(queue.blocked, tone_of(queue.blocked, Tone::plain)),
                   Cell::of(queue.running, tone_of(queue.running, Tone::busy)),
                   Cell::of(queue.dead, tone_of(queue.dead, Tone::bad)),
                   Cell::of(queue.completed, tone_of(queue.completed, Tone::good)),
                   Cell::of(queue.failed, tone_of(queue.failed, Tone::bad)),
                   Cell::of(queue.cancelled, tone_of(queue.cancelled, Tone::plain)),
                   age ? Cell::of(rough_age(*age)) : Cell{}, age ? Cell::json(fmt::format("{:.3f}", *age)) : Cell{},
                   queue.paused_at ? Cell::of(*queue.paused_at, Tone::bad) : Cell{}});
    }
    return show_rows(invocation, table, "no queues yet: millrace queues create NAME");
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
    policy.max_running = arguments.number("max-running", 1, most_at_one_time);
    policy.key_limit = arguments.number("key-limit", 1, most_at_one_time).value_or(policy.key_limit);

    return change_each(invocation, std::span{arguments.words()}.subspan(1), [&](const std::string& name) {
        store.create_queue(name, policy);
        return "created";
    });
}

Exit pause_or_resume(const Invocation& invocation, storage::OperatorStore& store, bool pauses) {
    return change_each(invocation, std::span{invocation.arguments.words()}.subspan(1), [&](const std::string& name) {
        const bool changed = pauses ? store.pause_queue(name) : store.resume_queue(name);
        return fmt::format("{}{}", changed ? "" : "already ", pauses ? "paused" : "running");
    });
}

Exit configure_queue(const Invocation& invocation, storage::OperatorStore& store) {
    const auto& words = invocation.arguments.words();
    return show_changes(invocation, store.configure_queue(words[1], changes_of(std::span{words}.subspan(2))));
}

constexpr std::array verbs{
    Verb{"list", 0, 0, "takes no names", "json"},
    Verb{"create", 1, any_number, "needs a name",
         "max-attempts timeout retry-base retry-cap max-payload-bytes retention max-running key-limit json"},
    Verb{"set", 2, any_number, "needs a name and changes: queues set mail max_running=10", "json"},
    Verb{"pause", 1, any_number, "needs a name", "json"},
    Verb{"resume", 1, any_number, "needs a name", "json"},
};

Exit run(const Invocation& invocation) {
    const auto verb = verb_of("queues", invocation.arguments, verbs).name;
    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("queues");
    storage::OperatorStore store{*session};
    if (verb == "create") return create_queues(invocation, store);
    if (verb == "pause" || verb == "resume") return pause_or_resume(invocation, store, verb == "pause");
    return verb == "set" ? configure_queue(invocation, store) : list_queues(invocation, store);
}

}  // namespace

Command queues_command() {
    return {.name = "queues",
            .summary = "what waits, runs and has failed in each queue; creates, configures, pauses and resumes queues",
            .usage =
                "millrace queues [list] [--json]\n"
                "millrace queues create NAME... [--max-attempts N] [--timeout D] [--retry-base D] ... [--json]\n"
                "millrace queues set NAME SETTING=VALUE... [--json]\n"
                "millrace queues pause|resume NAME... [--json]",
            .details =
                "completed, failed and cancelled count since the queue was created; failed counts attempts.\n"
                "Settings of set: those of create with underscores, and dead_letter_retention, rate, burst, key_rate,\n"
                "key_burst and history: max_running=10 timeout='5 minutes' rate='14 per second' history=outcome;\n"
                "max_running=none lifts it. From a paused queue no job is taken; what runs goes on.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
