#include "storage/preferences_store.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {
namespace {

constexpr auto types_statement =
    "select coalesce(jsonb_agg(jsonb_build_object('code', t.code, 'category', t.category, 'description', t.description,"
    "                                             'system_required', t.system_required,"
    "                                             'default_enabled', t.default_enabled) order by t.code), '[]')"
    "  from notify.types() t";

}  // namespace

std::string PreferencesStore::types() {
    return execute(session_, types_statement).at(0).at(0).c_str();
}

std::string PreferencesStore::config(const std::string& username) {
    return execute(session_, "select notify.config(username => $1)", username).at(0).at(0).c_str();
}

std::string PreferencesStore::configure(const std::string& username, const std::string& changes) {
    return execute(session_, "select notify.configure(username => $1, changes => $2)", username, changes)
        .at(0)
        .at(0)
        .c_str();
}

void PreferencesStore::unsubscribe(const std::string& username, const std::string& event_type) {
    execute(session_, "select notify.unsubscribe(username => $1, event_type => $2)", username, event_type);
}

}  // namespace millrace::storage
