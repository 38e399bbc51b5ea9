#include "storage/worker_store.hpp"

#include "storage/array_literal.hpp"
#include "storage/interval.hpp"
#include "storage/translation.hpp"

#include <unistd.h>

#include <array>

namespace millrace::storage {
namespace {

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
    return name.data();
}

std::string array_of(const std::vector<std::string>& texts) {
    ArrayLiteral array;
    for (const auto& text : texts)
        array.add(text);
    return array.text();
}

template <class Place>
pqxx::result open_in(Place& place, const WorkerInfo& worker) {
    return execute(place, "select millrace.open_session($1, $2::text[], $3, $4, $5, $6::interval, $7::text[])",
                   worker.name, array_of(worker.queues), host_name(), static_cast<int>(getpid()), worker.version,
                   interval_text(worker.lease), worker.kinds ? std::optional{array_of(*worker.kinds)} : std::nullopt);
}

}  // namespace

core::WorkerId WorkerStore::open(const WorkerInfo& worker) {
    return core::WorkerId{open_in(session_, worker).at(0).at(0).as<std::int32_t>()};
}

void WorkerStore::rehearse(const WorkerInfo& worker) {
    Transaction transaction{session_};  // never committed
    open_in(transaction, worker);
}

void WorkerStore::heartbeat(core::WorkerId worker, Draining draining) {
    execute(session_, "select millrace.heartbeat($1, $2)", worker.value, draining == Draining::yes);
}

std::vector<CancelRequest> WorkerStore::cancel_requests(core::WorkerId worker) {
    std::vector<CancelRequest> requests;
    for (const auto& row : execute(session_, "select fence, job_id from millrace.cancel_requests($1)", worker.value))
        requests.push_back({{row[0].as<std::int64_t>()}, {row[1].as<std::int64_t>()}});
    return requests;
}

bool WorkerStore::waits_for_standby(std::chrono::milliseconds how_long) {
    constexpr auto statement =
        "select exists (select from pg_catalog.pg_stat_activity a"
        "                where a.wait_event = 'SyncRep' and a.usename = current_user"
        "                  and a.query_start < clock_timestamp() - $1::interval)";
    return execute(session_, statement, interval_text(how_long)).at(0).at(0).as<bool>();
}

int WorkerStore::close(core::WorkerId worker) {
    constexpr auto statement =
        "with patience as materialized (select pg_catalog.set_config('lock_timeout', '1s', true))"
        " select millrace.close_session($1) from patience";
    return execute(session_, statement, worker.value).at(0).at(0).as<int>();
}

}  // namespace millrace::storage
