#include "storage/maintenance_store.hpp"

#include "storage/array_literal.hpp"
#include "storage/interval.hpp"
#include "storage/translation.hpp"

#include <algorithm>

namespace millrace::storage {
namespace {

constexpr auto promote_statement =
    "select promoted, ceil(extract(epoch from next_run_at - millrace.now()) * 1000)::bigint"
    "  from millrace.promote($1, case when $2 then '-infinity'::timestamptz"
    "                                 else millrace.now() - interval '2 minutes' end)";

constexpr auto reap_statement =
    "select millrace.reap($1, case when $2 then '-infinity'::timestamptz"
    "                              else millrace.now() - interval '2 minutes' end)";

constexpr auto tick_statement =
    "select enqueued, ceil(extract(epoch from next_run_at - millrace.now()) * 1000)::bigint"
    "  from millrace.tick_schedules($1)";

// What is overdue is due at once.
std::optional<std::chrono::milliseconds> time_until(const pqxx::field& milliseconds) {
    if (milliseconds.is_null()) return {};
    return std::chrono::milliseconds{std::max<std::int64_t>(0, milliseconds.as<std::int64_t>())};
}

}  // namespace

Promotion MaintenanceStore::promote(Scan scan) {
    const auto row = execute(session_, promote_statement, max_promote, scan == Scan::full).at(0);
    return {.promoted = row[0].as<int>(), .next_due = time_until(row[1])};
}

ScheduleTick MaintenanceStore::tick_schedules() {
    const auto row = execute(session_, tick_statement, max_tick).at(0);
    return {.enqueued = row[0].as<int>(), .next_due = time_until(row[1])};
}

int MaintenanceStore::reap(Scan scan) {
    return execute(session_, reap_statement, max_reap, scan == Scan::full).at(0).at(0).as<int>();
}

bool MaintenanceStore::advance_low_water(const std::vector<std::string>& queues) {
    ArrayLiteral names;
    for (const auto& queue : queues)
        names.add(queue);
    return execute(session_, "select millrace.advance_low_water($1::text[]) >= 0", names.text()).at(0).at(0).as<bool>();
}

int MaintenanceStore::fold_counts() {
    return execute(session_, "select millrace.fold_counts()").at(0).at(0).as<int>();
}

int MaintenanceStore::maintain_partitions() {
    return execute(session_, "select millrace.maintain_partitions($1)", partition_days_ahead).at(0).at(0).as<int>();
}

int MaintenanceStore::prune() {
    return execute(session_, "select millrace.prune($1)", max_prune).at(0).at(0).as<int>();
}

bool MaintenanceStore::keep_up_notifications(std::chrono::milliseconds at_most_every) {
    constexpr auto statement = "select has_more from notify.upkeep(at_most_every => $1)";
    return execute(session_, statement, interval_text(at_most_every)).at(0).at(0).as<bool>();
}

}  // namespace millrace::storage
