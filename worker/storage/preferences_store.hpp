#pragma once
// What users may know and change of their notifications (sql/notify/preferences.sql). All of it is JSON, as the
// database says it, and may be repeated.
//
// Somebody waits for each answer, and a thread of few with them. What waits for a lock, as for a long transaction that
// emits to the same user, or takes long, throws an Error that is_passing within these limits.
//
// Thread rule: that of the session.

#include "storage/session.hpp"

#include <chrono>
#include <string>

namespace millrace::storage {

class PreferencesStore {
public:
    static constexpr std::chrono::seconds lock_patience{3};  // for each lock
    static constexpr std::chrono::seconds patience{10};      // for the whole statement

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
