#include "storage/notify_store.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {
namespace {

constexpr auto message_statement =
    "select skip, event_type, username, address, locale, sender, subject, body_text, body_html,"
    "       coalesce(data, '{}')::text, system_required, (extract(epoch from waited) * 1000000)::bigint"
    "  from notify.message_of(fence => $1, job_id => $2)";

constexpr auto recipient_statement =
    "select skip, 'notify.digest', username, address, locale, sender, null, null, null, '{}', false, null"
    "  from notify.digest_to(fence => $1, job_id => $2)";

constexpr auto digest_statement =
    "select event_type, to_char(emitted_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), actor, subject,"
    "       body_text, body_html, coalesce(data, '{}')::text"
    "  from notify.digest_of(fence => $1, job_id => $2)";

constexpr auto template_statement =
    "select found_locale, subject, body_text, body_html from notify.template_of(event_type => $1, locale => $2)";

constexpr auto record_statement =
    "select notify.record_delivery(fence => $1, job_id => $2, outcome => $3, reason => $4, message_id => $5,"
    " reply => $6, redirected_to => $7, sent_to => $8)";

std::string text_of(const pqxx::field& field) {
    return field.as<std::string>("");
}

std::optional<Notification> notification(const pqxx::result& found) {
    if (found.empty()) return std::nullopt;
    const auto row = found.at(0);
    std::optional<std::chrono::microseconds> waited;
    if (!row[11].is_null()) waited = std::chrono::microseconds{row[11].as<std::int64_t>()};
    return Notification{.skip = text_of(row[0]),
                        .event_type = text_of(row[1]),
                        .username = text_of(row[2]),
                        .address = text_of(row[3]),
                        .locale = text_of(row[4]),
                        .sender = text_of(row[5]),
                        .subject = text_of(row[6]),
                        .text = text_of(row[7]),
                        .html = text_of(row[8]),
                        .data = text_of(row[9]),
                        .is_required = row[10].as<bool>(),
                        .unsubscribe_url = {},
                        .waited = waited};
}

const char* name_of(NotifyDelivery::Outcome outcome) {
    switch (outcome) {
        case NotifyDelivery::Outcome::sent:
            return "sent";
        case NotifyDelivery::Outcome::skipped:
            return "skipped";
        case NotifyDelivery::Outcome::failed:
            return "failed";
    }
    __builtin_unreachable();
}

}  // namespace

std::optional<Notification> notification_of(Transaction& transaction, const core::Job& job) {
    return notification(execute(transaction, message_statement, job.fence.value, job.id.value));
}

std::optional<Notification> digest_to(Transaction& transaction, const core::Job& job) {
    return notification(execute(transaction, recipient_statement, job.fence.value, job.id.value));
}

std::vector<DigestedEvent> digest_of(Session& session, const core::Job& job) {
    std::vector<DigestedEvent> events;
    for (const auto& row : execute(session, digest_statement, job.fence.value, job.id.value)) {
        events.push_back({.event_type = text_of(row[0]),
                          .emitted_at = text_of(row[1]),
                          .actor = text_of(row[2]),
                          .subject = text_of(row[3]),
                          .text = text_of(row[4]),
                          .html = text_of(row[5]),
                          .data = text_of(row[6])});
    }
    return events;
}

std::optional<NotifyTemplate> notify_template(Transaction& transaction, const std::string& event_type,
                                              const std::string& locale) {
    const auto found = execute(transaction, template_statement, event_type, locale);
    if (found.empty()) return std::nullopt;
    const auto row = found.at(0);
    return NotifyTemplate{text_of(row[0]), text_of(row[1]), text_of(row[2]), text_of(row[3])};
}

bool is_suppressed(Transaction& transaction, const std::string& address) {
    return execute(transaction, "select notify.is_suppressed(address => $1)", address).at(0).at(0).as<bool>();
}

std::uint64_t record_delivery(Transaction& transaction, const core::Job& job, const NotifyDelivery& delivery) {
    return execute(transaction, record_statement, job.fence.value, job.id.value, name_of(delivery.outcome),
                   unless_empty(delivery.reason), unless_empty(delivery.message_id), unless_empty(delivery.reply),
                   unless_empty(delivery.redirected_to), unless_empty(delivery.sent_to))
        .at(0)
        .at(0)
        .as<std::uint64_t>();
}

}  // namespace millrace::storage
