#include "storage/limit_store.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {

namespace {

constexpr auto limits_statement =
    "with queues as materialized ("
    "    select q.* from millrace.queues q where $1::text is null or q.name = $1"
    "), keys as ("
    "    select coalesce(b.queue, l.queue) as queue, coalesce(b.key, l.key) as key, l.max_held, l.rate, l.burst,"
    "           l.key is not null as is_own, coalesce(b.held, 0) as held, coalesce(b.blocked, 0) as blocked,"
    "           b.next_tokens_at"
    "      from (select * from millrace.blocked_keys where $1::text is null or queue = $1) b"
    "      full join (select * from millrace.key_limits where $1::text is null or queue = $1) l"
    "        on l.queue = b.queue and l.key = b.key"
    "     where l.key is not null or b.blocked > 0"
    "     order by coalesce(b.blocked, 0) desc, 1, 2 limit $2"
    "), found as ("
    "    select q.name as queue, 1 as place, 'queue' as scope, null as key, q.max_running as most, q.rate, q.burst,"
    "           q.running, q.available as waiting, q.next_token_at, false as is_own"
    "      from queues q"
    "    union all"
    "    select q.name, 2, 'each key', null, q.key_limit, q.key_rate, q.key_burst, null, null, null, false"
    "      from queues q"
    "    union all"
    "    select q.name, 3, 'key', k.key, coalesce(k.max_held, q.key_limit), coalesce(k.rate, q.key_rate),"
    "           case when k.rate is null then q.key_burst else k.burst end, k.held, k.blocked, k.next_tokens_at,"
    "           k.is_own"
    "      from keys k"
    "      join queues q on q.name = k.queue"
    ") "
    "select queue, scope, key, most, rate, burst, running, waiting,"
    "       to_char(next_token_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), is_own"
    "  from found order by queue, place, waiting desc, key";

template <class Value>
std::optional<Value> maybe(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional{field.as<Value>()};
}

}  // namespace

std::vector<LimitRow> LimitStore::limits(const std::optional<std::string>& queue) {
    std::vector<LimitRow> limits;
    for (const auto& row : execute(session_, limits_statement, queue, most_keys)) {
        limits.push_back({.queue = row[0].c_str(),
                          .scope = row[1].c_str(),
                          .key = maybe<std::string>(row[2]),
                          .limit = maybe<int>(row[3]),
                          .rate = maybe<std::string>(row[4]),
                          .burst = maybe<int>(row[5]),
                          .running = maybe<std::int64_t>(row[6]),
                          .waiting = maybe<std::int64_t>(row[7]),
                          .next_token_at = maybe<std::string>(row[8]),
                          .is_own = row[9].as<bool>()});
    }
    return limits;
}

void LimitStore::limit_key(const std::string& queue, const std::string& key, const KeyLimit& limit) {
    execute(session_, "select millrace.limit_key($1, $2, $3, $4, $5)", queue, key, limit.most, limit.rate, limit.burst);
}

}  // namespace millrace::storage
