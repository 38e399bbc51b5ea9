#include "storage/notify_overview.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {
namespace {

constexpr auto types_statement =
    "select code, category, description, system_required, default_enabled from notify.types()";

constexpr auto emails_statement =
    "select id, event_type, username, address, status, reason, emitted_at::text, job"
    "  from notify.find_emails(username => $1, type => $2, status => $3, max_rows => $4)";

constexpr auto template_statement =
    "select found_locale, subject, body_text, body_html from notify.template_of(event_type => $1, locale => $2)";

}  // namespace

std::vector<NotifyType> NotifyOverview::types() {
    std::vector<NotifyType> types;
    for (const auto& row : execute(session_, types_statement)) {
        types.push_back({row[0].c_str(), row[1].c_str(), row[2].c_str(), row[3].as<bool>(), row[4].as<bool>()});
    }
    return types;
}

std::vector<EmailRow> NotifyOverview::emails(const EmailFilter& filter) {
    std::vector<EmailRow> emails;
    for (const auto& row :
         execute(session_, emails_statement, filter.username, filter.type, filter.status, filter.max_rows)) {
        emails.push_back({.id = row[0].as<std::int64_t>(),
                          .event_type = row[1].c_str(),
                          .username = row[2].as<std::optional<std::string>>(),
                          .address = row[3].as<std::optional<std::string>>(),
                          .status = row[4].c_str(),
                          .reason = row[5].as<std::optional<std::string>>(),
                          .emitted_at = row[6].c_str(),
                          .job = row[7].as<std::optional<std::int64_t>>()});
    }
    return emails;
}

std::optional<double> NotifyOverview::oldest_pending_seconds() {
    constexpr auto statement = "select extract(epoch from oldest_pending_age) from notify.overview()";
    return execute(session_, statement).at(0).at(0).as<std::optional<double>>();
}

std::optional<NotifyTemplate> NotifyOverview::tmpl(const std::string& event_type, const std::string& locale) {
    const auto found = execute(session_, template_statement, event_type, locale);
    if (found.empty()) return std::nullopt;
    const auto row = found.at(0);
    return NotifyTemplate{row[0].c_str(), row[1].c_str(), row[2].c_str(), row[3].as<std::string>("")};
}

}  // namespace millrace::storage
