#include "cli/queues.hpp"

#include "cli/answer.hpp"
#include "cli/changes.hpp"
#include "cli/input.hpp"
#include "cli/queue_limits.hpp"
#include "cli/table.hpp"
#include "engine/pause.hpp"
#include "storage/operator_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <vector>

namespace millrace::cli {

namespace {

constexpr int most_at_one_time = 1'000'000;
constexpr int most_payload_bytes = 64 * 1024 * 1024;
constexpr std::chrono::milliseconds least_look{100};
constexpr std::chrono::milliseconds longest_look{std::chrono::hours{1}};

constexpr std::array flags{
    Flag{"over", "DURATION", "list: looks twice, so long apart, and counts what is completed per second"},
    limit_rate_flag,
    limit_burst_flag,
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

// What has been completed per second since an earlier look; nothing for a queue that there was not.
std::optional<double> throughput(const storage::QueueRow& queue, std::span<const storage::QueueRow> earlier,
                                 std::chrono::duration<double> time) {
    const auto known = std::find_if(earlier.begin(), earlier.end(),
                                    [&](const storage::QueueRow& other) { return other.name == queue.name; });
    if (known == earlier.end()) return std::nullopt;
    return std::max(0.0, static_cast<double>(queue.completed - known->completed) / time.count());
}

std::string limits_of(const storage::QueueRow& queue) {
    auto text = queue.max_running ? fmt::format("{} at a time", *queue.max_running) : std::string{};
    if (queue.rate) text += (text.empty() ? "" : ", ") + *queue.rate;
    return text;
}

Exit list_queues(const Invocation& invocation, storage::OperatorStore& store) {
    using For = Column::For;
    const auto time = invocation.arguments.duration("over");
    if (time && (*time < least_look || *time > longest_look)) {
        throw UsageError{"--over: write a duration from 100ms to 1h"};
    }
    const auto begun_at = std::chrono::steady_clock::now();
    const auto earlier = time ? store.queues() : std::vector<storage::QueueRow>{};
    if (time) engine::pause({}, *time);
    const auto queues = store.queues();
    const auto passed = std::chrono::steady_clock::now() - begun_at;
    Table table{{{"name"},
                 {"available"},
                 {"scheduled"},
                 {"blocked"},
                 {"running"},
                 {"dead"},
                 {"completed"},
                 {"failed"},
                 {"cancelled"},
                 {"per_second", time ? For::both : For::programs},
                 {"oldest", For::people},
                 {"oldest_age_seconds", For::programs},
                 {"limits", For::people},
                 {"max_running", For::programs},
                 {"rate", For::programs},
                 {"paused_at"}}};
    for (const auto& queue : queues) {
        const auto age = queue.oldest_age_seconds;
        const auto rate = throughput(queue, earlier, passed);
        const auto limits = limits_of(queue);
        table.add({Cell::of(queue.name, Tone::strong), Cell::of(queue.available, tone_of(queue.available, Tone::plain)),
                   Cell::of(queue.scheduled, tone_of(queue.scheduled, Tone::plain)),
                   Cell::of(queue.blocked, tone_of(queue.blocked, Tone::plain)),
                   Cell::of(queue.running, tone_of(queue.running, Tone::busy)),
                   Cell::of(queue.dead, tone_of(queue.dead, Tone::bad)),
                   Cell::of(queue.completed, tone_of(queue.completed, Tone::good)),
                   Cell::of(queue.failed, tone_of(queue.failed, Tone::bad)),
                   Cell::of(queue.cancelled, tone_of(queue.cancelled, Tone::plain)),
                   rate ? Cell{Cell::Type::number, fmt::format("{:.1f}", *rate)} : Cell{},
                   age ? Cell::of(rough_age(*age)) : Cell{}, age ? Cell::json(fmt::format("{:.3f}", *age)) : Cell{},
                   limits.empty() ? Cell{} : Cell::of(limits),
                   queue.max_running ? Cell::of(std::int64_t{*queue.max_running}) : Cell{}, Cell::maybe(queue.rate),
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
    Verb{"list", 0, 0, "takes no names", "over json"},
    Verb{"limits", 0, 1, "takes one queue at most", "json"},
    Verb{"limit", 3, 3, "needs a queue, a key, and how many jobs of it at one time, or none", "rate burst json"},
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
    if (verb == "limits") return show_limits(invocation, *session);
    if (verb == "limit") return limit_key(invocation, *session);
    storage::OperatorStore store{*session};
    if (verb == "create") return create_queues(invocation, store);
    if (verb == "pause" || verb == "resume") return pause_or_resume(invocation, store, verb == "pause");
    return verb == "set" ? configure_queue(invocation, store) : list_queues(invocation, store);
}

}  // namespace

Command queues_command() {
    return {.name = "queues",
            .summary =
                "what waits, runs and has failed in each queue; creates, configures, limits, pauses and resumes them",
            .usage =
                "millrace queues [list] [--over D] [--json]\n"
                "millrace queues limits [NAME] [--json]\n"
                "millrace queues limit NAME KEY LIMIT|none [--rate R] [--burst N] [--json]\n"
                "millrace queues create NAME... [--max-attempts N] [--timeout D] [--retry-base D] ... [--json]\n"
                "millrace queues set NAME SETTING=VALUE... [--json]\n"
                "millrace queues pause|resume NAME... [--json]",
            .details =
                "completed, failed and cancelled count since the queue was created; failed counts attempts.\n"
                "Settings of set: those of create with underscores, and dead_letter_retention, rate, burst, key_rate,\n"
                "key_burst and history: max_running=10 timeout='5 minutes' rate='14 per second' history=outcome;\n"
                "max_running=none lifts it. From a paused queue no job is taken; what runs goes on.\n"
                "limits has what holds and how much of it is used: of queues, and of the concurrency keys that have\n"
                "limits of their own or for which jobs wait. limit gives a key its own, and with none and no rate\n"
                "takes them away.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
