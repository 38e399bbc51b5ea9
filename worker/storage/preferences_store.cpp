#include "storage/preferences_store.hpp"

#include "storage/translation.hpp"

#include <string>
#include <utility>

namespace millrace::storage {
namespace {

constexpr auto types_statement =
    "select coalesce(jsonb_agg(jsonb_build_object('code', t.code, 'category', t.category, 'description', t.description,"
    "                                             'system_required', t.system_required,"
    "                                             'default_enabled', t.default_enabled) order by t.code), '[]')"
    "  from notify.types() t";

// Of the transaction alone: behind a pooler the connection is somebody else's afterwards.
constexpr auto limits_statement =
    "select pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('statement_timeout', $2, true)";

template <class... Arguments>
pqxx::result answer(Session& session, const char* statement, Arguments&&... arguments) {
    Transaction transaction{session};
    execute(transaction, limits_statement, std::to_string(PreferencesStore::lock_patience.count()) + "s",
            std::to_string(PreferencesStore::patience.count()) + "s");
    auto answered = execute(transaction, statement, std::forward<Arguments>(arguments)...);
    transaction.commit();
    return answered;
}

}  // namespace

std::string PreferencesStore::types() {
    return answer(session_, types_statement).at(0).at(0).c_str();
}

std::string PreferencesStore::config(const std::string& username) {
    return answer(session_, "select notify.config(username => $1)", username).at(0).at(0).c_str();
}

std::string PreferencesStore::configure(const std::string& username, const std::string& changes) {
    return answer(session_, "select notify.configure(username => $1, changes => $2)", username, changes)
        .at(0)
        .at(0)
        .c_str();
}

void PreferencesStore::unsubscribe(const std::string& username, const std::string& event_type) {
    answer(session_, "select notify.unsubscribe(username => $1, event_type => $2)", username, event_type);
}

}  // namespace millrace::storage
