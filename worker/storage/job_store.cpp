#include "storage/job_store.hpp"

#include "core/check.hpp"
#include "storage/array_literal.hpp"
#include "storage/error.hpp"
#include "storage/interval.hpp"
#include "storage/translation.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace millrace::storage {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // clang 14 does not deduce it for an aggregate

constexpr auto claim_statement =
    "select job_id, fence, kind, priority, attempt, max_attempts, payload, traceparent,"
    "       (extract(epoch from timeout) * 1000)::bigint,"
    "       (date_part('epoch', millrace.now() - enqueued_at) * 1000000)::bigint"
    "  from millrace.claim($1, $2, $3, async => true)";

struct SettleStatements {
    const char* complete;
    const char* settle;
};

// In a transaction of the caller's, whose own limits hold.
constexpr SettleStatements settle_here{
    "select unnest(millrace.settle_many($1::bigint[], $2::bigint[]))",
    "select unnest(millrace.settle_many($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::interval[],"
    "                                   $6::jsonb[], $7::jsonb))"};

// The limit for locks is set before the call is made, which is evaluated for the only row of what has set it; and for
// this statement's own transaction, so that a pooler hands it to nobody else.
constexpr SettleStatements settle_apart{
    "with patience as materialized (select pg_catalog.set_config('lock_timeout', $3, true))"
    " select unnest(millrace.settle_many($1::bigint[], $2::bigint[])) from patience",
    "with patience as materialized (select pg_catalog.set_config('lock_timeout', $8, true))"
    " select unnest(millrace.settle_many($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::interval[],"
    "                                    $6::jsonb[], $7::jsonb)) from patience"};

constexpr auto token_statement =
    "select ceil(extract(epoch from millrace.next_token($1) - millrace.now()) * 1000)::bigint";

core::Job job_of(const pqxx::row& row, const std::string& queue) {
    core::Job job;
    job.id = core::JobId{row[0].as<std::int64_t>()};
    job.fence = core::Fence{row[1].as<std::int64_t>()};
    job.queue = queue;
    job.kind = row[2].as<std::string>("");  // null when the job's wide row is gone: no handler will be found for it
    job.priority = row[3].as<int>();
    job.attempt = row[4].as<int>();
    job.max_attempts = row[5].as<int>(1);
    job.payload = row[6].as<std::string>("null");
    job.traceparent = row[7].as<std::string>("");
    if (!row[8].is_null()) job.timeout = std::chrono::milliseconds{row[8].as<std::int64_t>()};
    if (!row[9].is_null()) job.age = std::chrono::microseconds{row[9].as<std::int64_t>()};
    return job;
}

bool is_completed(const Settlement& settlement) {
    return std::holds_alternative<core::Completed>(settlement.outcome);
}

bool is_plain(const Settlement& settlement) {
    const auto* completed = std::get_if<core::Completed>(&settlement.outcome);
    return completed != nullptr && completed->result.empty() && completed->successors.empty();
}

// The payload is put in as it is: it is JSON text already.
void append_successor(std::string& array, core::JobId after, const core::NewJob& job) {
    using nlohmann::json;
    const auto quoted = [](const std::string& text) {
        return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
    };
    array += array.empty() ? "[" : ",";
    array += "{\"after\":" + std::to_string(after.value) + ",\"queue\":" + quoted(job.queue) +
             ",\"kind\":" + quoted(job.kind) + ",\"payload\":" + job.payload +
             ",\"priority\":" + std::to_string(job.priority) + ",\"delay\":\"" + interval_text(job.delay) + "\"";
    if (!job.traceparent.empty()) array += ",\"traceparent\":" + quoted(job.traceparent);
    array += "}";
}

// The parallel arrays of settle_many, filled row by row.
class Columns {
public:
    void add(const Settlement& settlement) {
        std::visit(Overloaded{
                       [&](const core::Completed& done) {
                           row("completed", {}, {}, done.result);
                           for (const auto& job : done.successors)
                               append_successor(successors, settlement.job, job);
                       },
                       [&](const core::Failed& failed) { row("failed", failed.error, failed.retry_in, {}); },
                       [&](const core::Snoozed& snoozed) { row("snoozed", {}, snoozed.delay, {}); },
                       [&](const core::Discarded& discarded) { row("discarded", discarded.error, {}, {}); },
                       [&](const core::Released&) { row("released", {}, {}, {}); },
                       [&](const core::Cancelled& cancelled) { row("cancelled", cancelled.note, {}, {}); },
                   },
                   settlement.outcome);
    }

    ArrayLiteral outcomes, errors, delays, results;
    std::string successors;  // a JSON array that lacks its closing bracket

private:
    void row(std::string_view outcome, std::string_view error, std::optional<std::chrono::milliseconds> delay,
             std::string_view result) {
        outcomes.add(outcome);
        error.empty() ? errors.add_null() : errors.add(error);
        delay ? delays.add(interval_text(*delay)) : delays.add_null();
        result.empty() ? results.add_null() : results.add(result);
    }
};

template <class Where, class... Limit>
std::vector<core::JobId> settle_in(Where& where, const SettleStatements& statements,
                                   std::span<const Settlement> settlements, const Limit&... limit) {
    CHECK(settlements.size() <= JobStore::max_settle);
    ArrayLiteral jobs;
    ArrayLiteral fences;
    for (const auto& settlement : settlements) {
        jobs.add(settlement.job.value);
        fences.add(settlement.fence.value);
    }
    pqxx::result lost;
    if (std::all_of(settlements.begin(), settlements.end(), is_plain)) {
        lost = execute(where, statements.complete, jobs.text(), fences.text(), limit...);
    } else {
        Columns columns;
        for (const auto& settlement : settlements)
            columns.add(settlement);
        std::optional<std::string> outcomes, errors, delays, successors;  // that all are completed, no outcomes say
        if (!std::all_of(settlements.begin(), settlements.end(), is_completed)) {
            outcomes = columns.outcomes.text();
            errors = columns.errors.text();
            delays = columns.delays.text();
        }
        if (!columns.successors.empty()) successors = columns.successors + "]";
        lost = execute(where, statements.settle, jobs.text(), fences.text(), outcomes, errors, delays,
                       columns.results.text(), successors, limit...);
    }
    std::vector<core::JobId> ids;
    for (const auto& row : lost)
        ids.push_back(core::JobId{row[0].as<std::int64_t>()});
    return ids;
}

}  // namespace

std::vector<core::Job> JobStore::claim(core::WorkerId worker, const std::string& queue, std::size_t limit) {
    const auto amount = static_cast<int>(std::min(limit, max_claim));
    const auto rows = execute(session_, claim_statement, worker.value, queue, amount);
    std::vector<core::Job> jobs;
    jobs.reserve(rows.size());
    for (const auto& row : rows)
        jobs.push_back(job_of(row, queue));
    return jobs;
}

std::vector<core::JobId> JobStore::settle(std::span<const Settlement> settlements, std::chrono::milliseconds patience) {
    return settle_in(session_, settle_apart, settlements, std::to_string(patience.count()));
}

void JobStore::assert_lease(core::JobId job, core::Fence fence) {
    constexpr auto statement =
        "with patience as materialized (select pg_catalog.set_config('lock_timeout', '1s', true))"
        " select millrace.assert_lease($1, $2) from patience";
    execute(session_, statement, fence.value, job.value);
}

void JobStore::raise_signal(const std::string& queue) {
    execute(session_, "select millrace.raise_signal($1)", queue);
}

void JobStore::lower_signal(const std::string& queue) {
    execute(session_, "select millrace.lower_signal($1)", queue);
}

std::optional<std::chrono::milliseconds> JobStore::next_token(const std::string& queue) {
    const auto wait = execute(session_, token_statement, queue).at(0).at(0);
    if (wait.is_null()) return std::nullopt;
    return std::chrono::milliseconds{std::max<std::int64_t>(0, wait.as<std::int64_t>())};
}

void settle_within(Transaction& transaction, const Settlement& settlement) {
    if (settle_in(transaction, settle_here, std::span{&settlement, 1}).empty()) return;
    throw LeaseLost{"lease lost while the job was running", "MR001", "Another worker has it; nothing was changed."};
}

}  // namespace millrace::storage
