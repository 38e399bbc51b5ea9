#pragma once
// Notifications as their jobs see them: what to send to whom, and what came of it.
//
// All verbs throw ConnectionLost, LeaseLost when the job is somebody else's by now, and Error for what else the server
// refuses.
//
// Thread rule: as the Session or the Transaction.

#include "core/job.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

// Where no words or addresses are there, they are empty.
struct Notification {
    std::string skip;  // why nothing is to be sent; empty: it is to be sent
    std::string event_type;
    std::string username;
    std::string address;
    std::string locale;
    std::string sender;  // "address" or "Name <address>"; empty: the worker's
    std::string subject;
    std::string text;
    std::string html;
    std::string data;                                   // a JSON object
    bool is_required = false;                           // nobody can switch it off
    std::string unsubscribe_url;                        // of whoever sends it; the database knows none
    std::optional<std::chrono::microseconds> waited{};  // since the emit; not of a digest
};

struct DigestedEvent {
    std::string event_type;
    std::string emitted_at;
    std::string actor;
    std::string subject;
    std::string text;
    std::string html;
    std::string data;
};

struct NotifyTemplate {
    std::string locale;
    std::string subject;
    std::string text;
    std::string html;  // may be empty
};

struct NotifyDelivery {
    enum class Outcome { sent, skipped, failed };
    Outcome outcome = Outcome::failed;
    std::string reason{};
    std::string message_id{};
    std::string reply{};
    std::string redirected_to{};
    std::string sent_to{};
};

// What only reads takes no lock and no transaction id: the transaction may stay open.

// Nothing when the job is of no such email.
[[nodiscard]] std::optional<Notification> notification_of(Transaction& transaction, const core::Job& job);
// Its recipient alone; the words are made of digest_of.
[[nodiscard]] std::optional<Notification> digest_to(Transaction& transaction, const core::Job& job);

// Committed when this returns: the same events whenever it is repeated.
[[nodiscard]] std::vector<DigestedEvent> digest_of(Session& session, const core::Job& job);

[[nodiscard]] std::optional<NotifyTemplate> notify_template(Transaction& transaction, const std::string& event_type,
                                                            const std::string& locale);

// Whatever its capitals.
[[nodiscard]] bool is_suppressed(Transaction& transaction, const std::string& address);

// In the transaction that settles the job. How many emails it is the end of.
std::uint64_t record_delivery(Transaction& transaction, const core::Job& job, const NotifyDelivery& delivery);

}  // namespace millrace::storage
