#include "cli/enqueue.hpp"

#include "cli/guess.hpp"
#include "cli/json_lines.hpp"
#include "cli/progress.hpp"
#include "cli/trace_export.hpp"
#include "cli/usage.hpp"
#include "core/finally.hpp"
#include "engine/payload_schema.hpp"
#include "storage/error.hpp"
#include "storage/operator_store.hpp"
#include "storage/schema_store.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <ostream>

namespace millrace::cli {

namespace {

constexpr std::array flags{
    Flag{"priority", "0-9", "0 first, 9 last (5)"},
    Flag{"run-at", "TIME", "not before, in any form that PostgreSQL reads"},
    Flag{"delay", "DURATION", "not before so long from now"},
    Flag{"expires-at", "TIME", "cancelled by the claim that comes to it then, or later"},
    Flag{"max-attempts", "NUMBER", "instead of the queue's"},
    Flag{"timeout", "DURATION", "of one attempt, instead of the queue's"},
    Flag{"concurrency-key", "KEY", "jobs of one key run one after the other, or as many at a time as the queue allows"},
    Flag{"unique-key", "KEY", "one job only, and none while another of the queue has this key"},
    Flag{"unique-until", "started|finished", "how long it has the key (finished)"},
    Flag{"unique-for", "DURATION", "it has the key for so long, whatever becomes of it"},
    Flag{"replaces", "LIST", "what the one that waits with the key takes over: payload,run_at,priority"},
    Flag{"traceparent", "TEXT", "the W3C trace context that the jobs belong to"},
    Flag{"check", "", "enqueue only what is as the schema of the kind wants it"},
    json_flag,
};

using Schema = std::unique_ptr<const engine::PayloadSchema>;  // null: nothing is to be checked

storage::EnqueueOrder order_of(const Arguments& arguments) {
    const auto& words = arguments.words();
    if (words.size() < 2 || words.size() > 3) {
        throw UsageError{"enqueue needs a queue, a kind, and at most one payload (quoted as one word)"};
    }
    storage::EnqueueOrder order;
    order.queue = words[0];
    order.kind = words[1];
    order.priority = arguments.number("priority", 0, 9).value_or(order.priority);
    order.run_at = arguments.value("run-at");
    order.delay = arguments.duration("delay");
    order.max_attempts = arguments.number("max-attempts", 1, 1000);
    order.timeout = arguments.duration("timeout");
    order.concurrency_key = arguments.value("concurrency-key");
    order.traceparent = arguments.value("traceparent");
    order.expires_at = arguments.value("expires-at");
    return order;
}

// Nothing when the job may be there as often as it is asked for.
std::optional<storage::UniqueOrder> unique_of(const Arguments& arguments) {
    const auto key = arguments.value("unique-key");
    for (const auto* flag : {"unique-until", "unique-for", "replaces"}) {
        if (!key && arguments.has(flag)) throw UsageError{fmt::format("--{} goes with --unique-key", flag)};
    }
    if (!key) return std::nullopt;
    storage::UniqueOrder unique{.key = *key,
                                .until = arguments.value("unique-until"),
                                .taken_for = arguments.duration("unique-for"),
                                .replaces = {}};
    if (unique.until) require_known("time for --unique-until", *unique.until, {"started", "finished"});
    if (const auto list = arguments.value("replaces")) unique.replaces = split(*list, ",");
    for (const auto& what : unique.replaces)
        require_known("part for --replaces", what, {"payload", "run_at", "priority"});
    return unique;
}

// A file or a pipe has lines for us; a terminal and /dev/null do not.
bool has_lines(const struct stat& input) {
    return S_ISREG(input.st_mode) || S_ISFIFO(input.st_mode) || S_ISSOCK(input.st_mode);
}

Schema schema_for(const Invocation& invocation, storage::Session& session, const std::string& kind) {
    if (!invocation.arguments.has("check")) return nullptr;
    const auto text = storage::SchemaStore{session}.schema(kind);
    if (text) return std::make_unique<const engine::PayloadSchema>(*text);
    invocation.console.err << fmt::format("kind {} has no schema: nothing is checked\n", harmless(kind));
    return nullptr;
}

// While tracing is configured, a span about what is enqueued, between the given traceparent and the jobs. Sent when
// this ends, if there are jobs that belong to it.
class EnqueueSpan {
public:
    EnqueueSpan(const Invocation& invocation, storage::EnqueueOrder& order) {
        const auto& options = invocation.options;
        if (options.trace_endpoint.empty() || !order.traceparent) return;
        const auto parent = core::sampled_context(*order.traceparent);
        if (!parent) return;
        constexpr engine::Operation operation{"enqueue", "send"};
        span_.context = engine::Spans::next(*parent);
        span_.parent = parent->span;
        span_.name = engine::name_of(operation, order.queue);
        span_.kind = core::Span::Kind::producer;
        span_.attributes = engine::messaging_attributes(operation, order.queue);
        span_.attributes.emplace_back("millrace.job.kind", order.kind);
        order.traceparent = core::traceparent_of(span_.context);
        span_.begun_at = engine::Spans::Clock::now();
        trace_export_.emplace(otlp_settings(options), spans_, log_);
    }

    void end(std::uint64_t jobs, core::JobId first) {
        if (!trace_export_ || jobs == 0) return;
        span_.ended_at = engine::Spans::Clock::now();
        if (jobs == 1) {
            span_.attributes.emplace_back("messaging.message.id", std::to_string(first.value));
        } else {
            span_.attributes.emplace_back("messaging.batch.message_count", static_cast<std::int64_t>(jobs));
        }
        spans_.record(std::move(span_));
    }

private:
    ops::Log log_{ops::Log::Format::human, stderr, ops::Level::warning};
    engine::Spans spans_;
    core::Span span_;
    std::optional<TraceExport> trace_export_;  // last: it uses the others
};

Exit enqueue_one(const Invocation& invocation, storage::OperatorStore& store, const std::string& payload) {
    auto order = order_of(invocation.arguments);
    EnqueueSpan span{invocation, order};
    const auto ids = store.enqueue(order, std::array{payload});
    span.end(1, ids.front());
    const auto form = invocation.arguments.has("json") ? "{{\"id\":{}}}\n" : "{}\n";
    invocation.console.out << fmt::format(fmt::runtime(form), ids.front().value);
    return Exit::done;
}

Exit enqueue_unique(const Invocation& invocation, storage::OperatorStore& store, const storage::UniqueOrder& unique,
                    const std::string& payload) {
    auto order = order_of(invocation.arguments);
    EnqueueSpan span{invocation, order};
    const auto answer = store.enqueue_unique(order, unique, payload);
    span.end(answer.is_new ? 1 : 0, answer.id);
    auto& console = invocation.console;
    if (invocation.arguments.has("json")) {
        console.out << fmt::format("{{\"id\":{},\"inserted\":{},\"replaced\":{}}}\n", answer.id.value, answer.is_new,
                                   answer.has_replaced);
        return Exit::done;
    }
    console.out << answer.id.value << '\n';
    if (answer.has_replaced) {
        console.err << "it was there, and has taken this over\n";
    } else if (!answer.is_new) {
        console.err << "it was there: nothing was enqueued\n";
    }
    return Exit::done;
}

struct Tally {
    std::uint64_t jobs = 0;
    core::JobId first;
    core::JobId last;
    std::uint64_t last_line = 0;
};

// What a person must know before trying again.
std::string remainder(const Tally& tally) {
    if (tally.jobs == 0) return "Nothing was enqueued.";
    return fmt::format("Lines up to {} were enqueued ({} jobs), none after it.", tally.last_line, grouped(tally.jobs));
}

void check_chunk(const engine::PayloadSchema& schema, const JsonLines::Chunk& chunk) {
    for (std::size_t at = 0; at < chunk.payloads.size(); ++at) {
        if (const auto violation = schema.check(chunk.payloads[at])) {
            throw BadLine{fmt::format("line {}: {}", chunk.line_numbers[at], engine::text_of(*violation))};
        }
    }
}

void enqueue_chunk(storage::OperatorStore& store, const storage::EnqueueOrder& order, const JsonLines::Chunk& chunk,
                   Tally& tally) {
    try {
        const auto ids = store.enqueue(order, chunk.payloads);
        if (tally.jobs == 0) tally.first = ids.front();
        tally.last = ids.back();
        tally.jobs += ids.size();
        tally.last_line = chunk.line_numbers.back();
    } catch (const storage::ConnectionLost& error) {
        throw BadLine{fmt::format("lines {} to {}: the connection was lost, they may or may not be enqueued: {}",
                                  chunk.line_numbers.front(), chunk.line_numbers.back(), error.what())};
    } catch (const storage::Error&) {
        const auto refusal = store.first_refused(order, chunk.payloads);
        if (!refusal) throw;  // it is not the payloads
        throw BadLine{fmt::format("line {}: {}{}{}", chunk.line_numbers[refusal->index], refusal->reason,
                                  refusal->hint.empty() ? "" : ". ", refusal->hint)};
    }
}

void print_tally(const Invocation& invocation, const Tally& tally) {
    auto& out = invocation.console.out;
    if (invocation.arguments.has("json")) {
        out << (tally.jobs == 0 ? std::string{"{\"jobs\":0,\"first_id\":null,\"last_id\":null}\n"}
                                : fmt::format("{{\"jobs\":{},\"first_id\":{},\"last_id\":{}}}\n", tally.jobs,
                                              tally.first.value, tally.last.value));
    } else if (tally.jobs > 0) {
        out << fmt::format("enqueued {} {}: {} to {}\n", grouped(tally.jobs), tally.jobs == 1 ? "job" : "jobs",
                           tally.first.value, tally.last.value);
    }
}

Exit enqueue_lines(const Invocation& invocation, storage::OperatorStore& store, const Schema& schema,
                   std::uint64_t input_bytes) {
    auto order = order_of(invocation.arguments);
    EnqueueSpan span{invocation, order};
    JsonLines lines{invocation.console.in};
    Tally tally;
    const core::Finally end{[&] { span.end(tally.jobs, tally.first); }};  // however far it went
    try {
        Progress progress{invocation.console, "jobs", input_bytes};
        for (auto chunk = lines.next(); !chunk.payloads.empty(); chunk = lines.next()) {
            if (schema) check_chunk(*schema, chunk);
            enqueue_chunk(store, order, chunk, tally);
            progress.show(lines.bytes_read(), tally.jobs);
        }
    } catch (const BadLine& error) {
        invocation.console.complain(error.what(), remainder(tally));
        return Exit::failed;
    } catch (const storage::Error& error) {
        const auto guess = guess_for(error, invocation.options);
        invocation.console.complain(
            error.what(), (guess.empty() ? error.hint() : guess) + (tally.jobs > 0 ? " " + remainder(tally) : ""));
        return Exit::failed;
    }
    print_tally(invocation, tally);
    if (tally.jobs == 0) invocation.console.err << "no lines on standard input\n";
    return tally.jobs == 0 ? Exit::nothing : Exit::done;
}

Exit run(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    static_cast<void>(order_of(invocation.arguments));  // a mistake is found before there is a connection
    const auto unique = unique_of(invocation.arguments);
    struct stat input {};
    const bool is_known = fstat(STDIN_FILENO, &input) == 0;
    const bool reads_lines = words.size() == 3 ? words[2] == "-" : is_known && has_lines(input);
    if (unique && reads_lines) throw UsageError{"--unique-key is for one job: give its payload as a word"};
    const auto payload = words.size() == 3 ? words[2] : std::string{"{}"};
    if (const auto problem = json_problem(payload); problem && !reads_lines) {
        throw UsageError{fmt::format("the payload is not JSON: {}", *problem)};
    }

    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("enqueue");
    storage::OperatorStore store{*session};
    const auto schema = schema_for(invocation, *session, words[1]);
    if (reads_lines) {
        return enqueue_lines(invocation, store, schema,
                             S_ISREG(input.st_mode) ? static_cast<std::uint64_t>(input.st_size) : 0);
    }
    if (const auto violation = schema ? schema->check(payload) : std::nullopt) {
        invocation.console.complain(engine::text_of(*violation), "Nothing was enqueued.");
        return Exit::failed;
    }
    return unique ? enqueue_unique(invocation, store, *unique, payload) : enqueue_one(invocation, store, payload);
}

}  // namespace

Command enqueue_command() {
    return {.name = "enqueue",
            .summary = "enqueues one job, or many from standard input",
            .usage =
                "millrace enqueue QUEUE KIND [JSON] [flags]\n"
                "millrace enqueue QUEUE KIND JSON --unique-key KEY [--unique-until started|finished] [flags]\n"
                "millrace enqueue QUEUE KIND [-] [flags] < payloads.jsonl",
            .details =
                "Without a payload: one job for each line of a file or pipe on standard input, else one job with {}.\n"
                "Lines are enqueued in chunks, each of them whole or not at all; a line that is refused is named,\n"
                "and so is how far the lines before it went. See millrace help schemas for --check.\n"
                "With --unique-key the number is that of the job that has the key, whoever enqueued it.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
