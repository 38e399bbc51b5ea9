#include "storage/operator_store.hpp"

#include "storage/array_literal.hpp"
#include "storage/error.hpp"
#include "storage/interval.hpp"
#include "storage/translation.hpp"

namespace millrace::storage {

namespace {

#define ISO(column) "to_char(" column " at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define ROW_COLUMNS                                                  \
    "id, queue, kind, state, priority, attempt, max_attempts, " ISO( \
        "enqueued_at") ", extract(epoch from millrace.now() - enqueued_at)::float8, " ISO("run_at") ", worker, error"

constexpr auto list_statement = "select " ROW_COLUMNS
                                "  from millrace.jobs"
                                " where ($1::text is null or queue = $1) and ($2::text is null or kind = $2)"
                                "   and ($3::text is null or state = $3)"
                                "   and ($4::text is null or error like $4 escape '')"
                                "   and ($5::interval is null"
                                "        or coalesce(finished_at, enqueued_at) <= millrace.now() - $5::interval)"
                                "   and ($6::interval is null"
                                "        or coalesce(finished_at, enqueued_at) > millrace.now() - $6::interval)"
                                " order by id desc limit $7";

constexpr auto detail_statement =
    "select " ROW_COLUMNS ", " ISO("claimed_at") ", " ISO("deadline") ", " ISO("finished_at")
    ", traceparent, payload, result, progress, cancelling,"
    "  (select coalesce(jsonb_agg(jsonb_build_object('line', l.line, 'attempt', l.attempt, 'at', " ISO("l.logged_at")
    ", 'text', l.text) order by l.line), '[]') from millrace.job_lines l where l.job_id = $1)"
    "  from millrace.jobs where id = $1";

constexpr auto queues_statement =
    "select name, available, scheduled, blocked, running, dead, completed, failed, cancelled,"
    "       extract(epoch from oldest_age)::float8, " ISO("paused_at") ", max_running, rate"
    "  from millrace.queues order by name";

constexpr auto enqueue_statement =
    "select unnest(millrace.enqueue_many(queue => $1, kind => $2, payloads => $3::jsonb[], priority => $4,"
    " run_at => $5::timestamptz, delay => $6::interval, max_attempts => $7, timeout => $8::interval,"
    " concurrency_key => $9, traceparent => $10, expires_at => $11::timestamptz))";

constexpr auto enqueue_unique_statement =
    "select id, inserted, replaced from millrace.enqueue_unique(queue => $1, kind => $2, payload => $3::jsonb,"
    " unique_key => $4, unique_until => $5, unique_for => $6::interval, replaces => $7::text[], priority => $8,"
    " run_at => $9::timestamptz, delay => $10::interval, max_attempts => $11, timeout => $12::interval,"
    " concurrency_key => $13, traceparent => $14, expires_at => $15::timestamptz)";

constexpr auto create_queue_statement =
    "select millrace.create_queue(name => $1, max_attempts => $2, timeout => $3::interval,"
    " retry_base => $4::interval, retry_cap => $5::interval, max_payload_bytes => $6, retention => $7::interval,"
    " max_running => $8, key_limit => $9)";

#undef ROW_COLUMNS
#undef ISO

std::optional<std::string> optional_interval(const std::optional<std::chrono::milliseconds>& duration) {
    return duration ? std::optional{interval_text(*duration)} : std::nullopt;
}

std::optional<std::string> optional_text(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional<std::string>{field.c_str()};
}

JobRow read_row(const pqxx::row& row) {
    return {.id = {row[0].as<std::int64_t>()},
            .queue = row[1].c_str(),
            .kind = row[2].c_str(),
            .state = row[3].c_str(),
            .priority = row[4].as<int>(),
            .attempt = row[5].as<int>(),
            .max_attempts = row[6].as<int>(),
            .enqueued_at = row[7].c_str(),
            .age_seconds = row[8].as<double>(),
            .run_at = optional_text(row[9]),
            .worker = optional_text(row[10]),
            .error = optional_text(row[11])};
}

const char* statement_of(OperatorAction action) {
    switch (action) {
        case OperatorAction::cancel:
            return "select millrace.cancel($1)";
        case OperatorAction::retry:
            return "select millrace.retry($1)";
        case OperatorAction::replay:
            return "select millrace.replay($1)";
    }
    __builtin_unreachable();
}

const char* statement_of(ManyAction action) {
    switch (action) {
        case ManyAction::cancel:
            return "select matched, changed, skipped, more from millrace.cancel_many($1, $2::jsonb, $3, $4::boolean)";
        case ManyAction::retry:
            return "select matched, changed, skipped, more from millrace.retry_many($1, $2::jsonb, $3, $4::boolean)";
        case ManyAction::replay:
            return "select matched, changed, skipped, more from millrace.replay_many($1, $2::jsonb, $3, $4::boolean)";
        case ManyAction::discard:
            return "select matched, changed, skipped, more from millrace.discard_many($1, $2::jsonb, $3, $4::boolean)";
    }
    __builtin_unreachable();
}

pqxx::result run_enqueue(Transaction& transaction, const EnqueueOrder& order, std::span<const std::string> payloads) {
    ArrayLiteral array;
    for (const auto& payload : payloads)
        array.add(payload);
    return execute(transaction, enqueue_statement, order.queue, order.kind, array.text(), order.priority, order.run_at,
                   optional_interval(order.delay), order.max_attempts, optional_interval(order.timeout),
                   order.concurrency_key, order.traceparent, order.expires_at);
}

}  // namespace

std::vector<JobRow> OperatorStore::jobs(const JobFilter& filter) {
    std::vector<JobRow> jobs;
    for (const auto& row : execute(session_, list_statement, unless_empty(filter.queue), unless_empty(filter.kind),
                                   unless_empty(filter.state), filter.error, optional_interval(filter.older_than),
                                   optional_interval(filter.newer_than), filter.limit)) {
        jobs.push_back(read_row(row));
    }
    return jobs;
}

std::optional<JobDetail> OperatorStore::job(core::JobId id) {
    const auto found = execute(session_, detail_statement, id.value);
    if (found.empty()) return std::nullopt;
    const auto row = found.at(0);
    return JobDetail{.row = read_row(row),
                     .claimed_at = optional_text(row[12]),
                     .deadline = optional_text(row[13]),
                     .finished_at = optional_text(row[14]),
                     .traceparent = optional_text(row[15]),
                     .payload = row[16].c_str(),
                     .result = optional_text(row[17]),
                     .progress = optional_text(row[18]),
                     .cancelling = optional_text(row[19]),
                     .log = row[20].c_str()};
}

std::vector<Explanation> OperatorStore::explain(core::JobId id) {
    std::vector<Explanation> causes;
    for (const auto& row : execute(session_, "select cause, why, remedy from millrace.explain_job($1)", id.value)) {
        causes.push_back({.cause = row[0].c_str(), .why = row[1].c_str(), .remedy = optional_text(row[2])});
    }
    return causes;
}

std::vector<Finding> OperatorStore::findings() {
    std::vector<Finding> findings;
    for (const auto& row :
         execute(session_, "select severity, finding, about, detail, remedy from millrace.doctor()")) {
        findings.push_back({.severity = row[0].c_str(),
                            .finding = row[1].c_str(),
                            .about = row[2].c_str(),
                            .detail = row[3].c_str(),
                            .remedy = row[4].c_str()});
    }
    return findings;
}

std::vector<QueueRow> OperatorStore::queues() {
    std::vector<QueueRow> queues;
    for (const auto& row : execute(session_, queues_statement)) {
        QueueRow queue{.name = row[0].c_str(),
                       .available = row[1].as<std::int64_t>(),
                       .scheduled = row[2].as<std::int64_t>(),
                       .blocked = row[3].as<std::int64_t>(),
                       .running = row[4].as<std::int64_t>(),
                       .dead = row[5].as<std::int64_t>(),
                       .completed = row[6].as<std::int64_t>(),
                       .failed = row[7].as<std::int64_t>(),
                       .cancelled = row[8].as<std::int64_t>(),
                       .oldest_age_seconds = {},
                       .paused_at = optional_text(row[10]),
                       .max_running = {},
                       .rate = optional_text(row[12])};
        if (!row[9].is_null()) queue.oldest_age_seconds = row[9].as<double>();
        if (!row[11].is_null()) queue.max_running = row[11].as<int>();
        queues.push_back(std::move(queue));
    }
    return queues;
}

std::string OperatorStore::act(OperatorAction action, core::JobId id) {
    return execute(session_, statement_of(action), id.value).at(0).at(0).c_str();
}

ManyAnswer OperatorStore::act_on_many(ManyAction action, const std::string& queue, const std::string& filter,
                                      int max_jobs, ManyMode mode) {
    const auto rows =
        execute(session_, statement_of(action), queue, filter, max_jobs, mode == ManyMode::dry_run ? "true" : "false");
    const auto row = rows.at(0);
    return {.matched = row[0].as<int>(),
            .changed = row[1].as<int>(),
            .skipped = row[2].as<int>(),
            .has_more = row[3].as<bool>()};
}

void OperatorStore::create_queue(const std::string& name, const QueuePolicy& policy) {
    execute(session_, create_queue_statement, name, policy.max_attempts, optional_interval(policy.timeout),
            interval_text(policy.retry_base), interval_text(policy.retry_cap), policy.max_payload_bytes,
            interval_text(policy.retention), policy.max_running, policy.key_limit);
}

std::string OperatorStore::configure_queue(const std::string& name, const std::string& changes) {
    return execute(session_, "select millrace.configure_queue($1, $2::jsonb)", name, changes).at(0).at(0).c_str();
}

bool OperatorStore::pause_queue(const std::string& name) {
    constexpr auto statement =
        "select (select paused_at is null from millrace.queues where name = $1), millrace.pause_queue($1)";
    const auto row = execute(session_, statement, name).at(0);
    return !row[0].is_null() && row[0].as<bool>();
}

bool OperatorStore::resume_queue(const std::string& name) {
    return execute(session_, "select millrace.resume_queue($1)", name).at(0).at(0).as<bool>();
}

void OperatorStore::adopt() {
    execute(session_, "select millrace.adopt()");
}

std::vector<core::JobId> OperatorStore::enqueue(const EnqueueOrder& order, std::span<const std::string> payloads) {
    Transaction transaction{session_};
    std::vector<core::JobId> ids;
    ids.reserve(payloads.size());
    for (const auto& row : run_enqueue(transaction, order, payloads))
        ids.push_back({row[0].as<std::int64_t>()});
    transaction.commit();
    return ids;
}

UniqueAnswer OperatorStore::enqueue_unique(const EnqueueOrder& order, const UniqueOrder& unique,
                                           const std::string& payload) {
    ArrayLiteral replaces;
    for (const auto& what : unique.replaces)
        replaces.add(what);
    const auto row =
        execute(session_, enqueue_unique_statement, order.queue, order.kind, payload, unique.key, unique.until,
                optional_interval(unique.taken_for), replaces.text(), order.priority, order.run_at,
                optional_interval(order.delay), order.max_attempts, optional_interval(order.timeout),
                order.concurrency_key, order.traceparent, order.expires_at)
            .at(0);
    return {.id = {row[0].as<std::int64_t>()}, .is_new = row[1].as<bool>(), .has_replaced = row[2].as<bool>()};
}

std::optional<OperatorStore::Refusal> OperatorStore::first_refused(const EnqueueOrder& order,
                                                                   std::span<const std::string> payloads) {
    const auto refusal_of = [&](std::size_t from, std::size_t to) -> std::optional<Refusal> {
        Transaction transaction{session_};  // never committed
        try {
            run_enqueue(transaction, order, payloads.subspan(from, to - from));
            return std::nullopt;
        } catch (const Error& error) {
            return Refusal{.index = from, .reason = error.what(), .hint = error.hint()};
        }
    };
    // Halved until one is left: everything before `from` is fine, something before `to` is not.
    std::size_t from = 0;
    std::size_t to = payloads.size();
    if (refusal_of(0, 0) || !refusal_of(from, to)) return std::nullopt;
    while (to - from > 1) {
        const auto middle = from + (to - from) / 2;
        if (refusal_of(from, middle)) {
            to = middle;
        } else {
            from = middle;
        }
    }
    return refusal_of(from, to);
}

}  // namespace millrace::storage
