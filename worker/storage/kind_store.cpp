#include "storage/kind_store.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {

namespace {

constexpr auto kinds_statement =
    "select kind, max_attempts, timeout, retry_base, retry_cap, array_to_string(retry_delays, ', '),"
    "       to_char(paused_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), live_workers"
    "  from millrace.kinds order by kind";

constexpr auto pause_statement =
    "select (select paused_at is null from millrace.kinds where kind = $1), millrace.pause_kind($1)";

std::optional<std::string> maybe(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional<std::string>{field.c_str()};
}

}  // namespace

std::vector<KindRow> KindStore::kinds() {
    std::vector<KindRow> kinds;
    for (const auto& row : execute(session_, kinds_statement)) {
        kinds.push_back({row[0].c_str(), row[1].is_null() ? std::nullopt : std::optional{row[1].as<std::int64_t>()},
                         maybe(row[2]), maybe(row[3]), maybe(row[4]), maybe(row[5]), maybe(row[6]),
                         row[7].as<std::int64_t>()});
    }
    return kinds;
}

std::string KindStore::configure(const std::string& kind, const std::string& changes) {
    return execute(session_, "select millrace.configure_kind($1, $2::jsonb)", kind, changes).at(0).at(0).c_str();
}

// Of a kind that nobody has named yet there is no row, and it was not paused.
bool KindStore::pause(const std::string& kind) {
    const auto was_free = execute(session_, pause_statement, kind).at(0).at(0);
    return was_free.is_null() || was_free.as<bool>();
}

bool KindStore::resume(const std::string& kind) {
    return execute(session_, "select millrace.resume_kind($1)", kind).at(0).at(0).as<bool>();
}

}  // namespace millrace::storage
