#pragma once
// Notifications as people look at them: which events there are, how their mails read, what became of them.
//
// All verbs throw ConnectionLost, and Error for what the server refuses.
//
// Thread rule: as the Session.

#include "storage/notify_store.hpp"
#include "storage/session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

struct NotifyType {
    std::string code;
    std::string category;
    std::string description;
    bool is_required = false;
    bool is_default = true;
};

// What is not given is not asked for.
struct EmailFilter {
    std::optional<std::string> username;
    std::optional<std::string> type;
    std::optional<std::string> status;
    int max_rows = 100;
};

struct EmailRow {
    std::int64_t id = 0;
    std::string event_type;
    std::optional<std::string> username;  // none: erased
    std::optional<std::string> address;
    std::string status;
    std::optional<std::string> reason;
    std::string emitted_at;
    std::optional<std::int64_t> job;
};

class NotifyOverview {
public:
    explicit NotifyOverview(Session& session) : session_{session} {}

    [[nodiscard]] std::vector<NotifyType> types();
    [[nodiscard]] std::vector<EmailRow> emails(const EmailFilter& filter);  // the newest first
    // Of those that wait for the mail server; nothing when there are none.
    [[nodiscard]] std::optional<double> oldest_pending_seconds();
    // Of this locale, or the nearest that there is.
    [[nodiscard]] std::optional<NotifyTemplate> tmpl(const std::string& event_type, const std::string& locale);

private:
    Session& session_;
};

}  // namespace millrace::storage
