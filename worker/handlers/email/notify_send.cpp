#include "handlers/email/notify_send.hpp"

#include "adapters/mustache.hpp"

#include <fmt/format.h>

#include <tuple>
#include <utility>

namespace millrace::handlers::email {
namespace {

using Outcome = storage::NotifyDelivery::Outcome;
using storage::Notification;
using storage::Transaction;

constexpr auto session_purpose = "notify";

// Recorded, and a dead letter, in one transaction.
core::Outcome give_up(const core::Job& job, Transaction& transaction, std::string error) {
    storage::record_delivery(transaction, job.id, {.outcome = Outcome::failed, .reason = error});
    return core::Discarded{std::move(error)};
}

core::Outcome skip(const core::Job& job, Transaction& transaction, const std::string& reason) {
    storage::record_delivery(transaction, job.id, {.outcome = Outcome::skipped, .reason = reason});
    return core::Completed{};
}

}  // namespace

NotifyHandler::NotifyHandler(Send& send, NotifySettings settings) : send_{send}, settings_{std::move(settings)} {}

core::Outcome NotifyHandler::run(const core::Job& job, Transaction& transaction, std::stop_token stop) {
    auto to = recipient(job, transaction);
    if (!to) {
        return core::Discarded{"no email has this job, or none any more; emit makes both in one transaction"};
    }
    if (!to->skip.empty()) return skip(job, transaction, to->skip);
    if (settings_.unsubscribe_url && !to->is_required) {
        to->unsubscribe_url = settings_.unsubscribe_url(to->username, to->event_type);
    }
    try {
        auto words = letter(job, transaction, *to);
        if (words.subject.empty()) return skip(job, transaction, "nothing to send");
        return post(job, transaction, *to, std::move(words), stop);
    } catch (const adapters::TemplateError& error) {
        return give_up(job, transaction, error.what());
    }
}

core::Outcome NotifyHandler::post(const core::Job& job, Transaction& transaction, const Notification& recipient,
                                  Letter letter, const std::stop_token& stop) {
    adapters::Mail mail;
    mail.from = recipient.sender.empty() ? send_.default_sender() : adapters::parse_mailbox(recipient.sender);
    mail.to.address = recipient.address;
    if (!settings_.redirect_all.empty()) {
        mail.to.address = settings_.redirect_all;
        letter = redirected(std::move(letter), recipient.address);
    }
    mail.unsubscribe_url = recipient.unsubscribe_url;
    mail.subject = std::move(letter.subject);
    mail.text = std::move(letter.text);
    mail.html = std::move(letter.html);
    if (const auto problem = adapters::mail_problem(mail)) {
        return give_up(job, transaction, fmt::format("{}: {}", problem->field, problem->reason));
    }
    auto sent = send_.deliver(job, std::move(mail), stop);
    if (std::holds_alternative<core::Completed>(sent.outcome)) {
        storage::record_delivery(transaction, job.id,
                                 {.outcome = Outcome::sent,
                                  .reason = "",
                                  .message_id = sent.message_id,
                                  .reply = sent.reply,
                                  .redirected_to = settings_.redirect_all});
    } else if (auto* refused = std::get_if<core::Discarded>(&sent.outcome)) {
        return give_up(job, transaction, std::move(refused->error));
    } else if (auto* failed = std::get_if<core::Failed>(&sent.outcome);
               failed != nullptr && job.attempt >= job.max_attempts && !stop.stop_requested()) {
        return give_up(job, transaction, std::move(failed->error));
    }
    return std::move(sent.outcome);
}

std::optional<Notification> NotifySend::recipient(const core::Job& job, Transaction& transaction) {
    return storage::notification_of(transaction, job);
}

Letter NotifySend::letter(const core::Job&, Transaction& transaction, const Notification& recipient) {
    return letter_of(recipient, storage::notify_template(transaction, recipient.event_type, recipient.locale));
}

NotifyDigest::NotifyDigest(Send& send, NotifySettings settings, storage::SessionFactory sessions)
    : NotifyHandler{send, std::move(settings)}, sessions_{std::move(sessions)} {}

std::optional<Notification> NotifyDigest::recipient(const core::Job& job, Transaction& transaction) {
    auto to = storage::digest_to(transaction, job);
    // What it would have held comes to its end with it.
    if (to && !to->skip.empty()) std::ignore = storage::digest_of(*sessions_.open(session_purpose), job);
    return to;
}

Letter NotifyDigest::letter(const core::Job& job, Transaction& transaction, const Notification& recipient) {
    const auto events = storage::digest_of(*sessions_.open(session_purpose), job);
    if (events.empty()) return {};
    return digest_letter(recipient, events,
                         storage::notify_template(transaction, recipient.event_type, recipient.locale));
}

}  // namespace millrace::handlers::email
