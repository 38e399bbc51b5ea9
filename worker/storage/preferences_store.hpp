#pragma once
// What users may know and change of their notifications (sql/notify/preferences.sql). All of it is JSON, as the
// database says it, and may be repeated.
//
// Thread rule: that of the session.

#include "storage/session.hpp"

#include <string>

namespace millrace::storage {

class PreferencesStore {
public:
    explicit PreferencesStore(Session& session) : session_{session} {}

    // All event types: [{"code", "category", "description", "system_required", "default_enabled"}].
    [[nodiscard]] std::string types();

    // Throws Error MR005 for what cannot be a username.
    [[nodiscard]] std::string config(const std::string& username);

    // `changes` is JSON. What holds then. Throws Error MR005 for changes that are refused, as a whole, and MR030 for an
    // unknown event type.
    std::string configure(const std::string& username, const std::string& changes);

    // Throws Error MR005 for a type that cannot be switched off, and MR030 for an unknown one.
    void unsubscribe(const std::string& username, const std::string& event_type);

private:
    Session& session_;
};

}  // namespace millrace::storage
