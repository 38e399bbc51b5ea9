#include "handlers/email/notify_send.hpp"

#include "adapters/mustache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <span>
#include <tuple>
#include <utility>

namespace millrace::handlers::email {
namespace {

using Clock = std::chrono::steady_clock;
using Failure = NotifyCounts::Failure;
using Outcome = storage::NotifyDelivery::Outcome;
using storage::Notification;
using storage::Transaction;

constexpr auto session_purpose = "notify";

}  // namespace

NotifyHandler::NotifyHandler(Send& send, NotifySettings settings, NotifyCounts& counts)
    : send_{send}, settings_{std::move(settings)}, counts_{counts} {}

core::Outcome NotifyHandler::give_up(const core::Job& job, Transaction& transaction, Failure why, std::string error) {
    counts_.failed(why, storage::record_delivery(transaction, job, {.outcome = Outcome::failed, .reason = error}));
    return core::Discarded{std::move(error)};
}

core::Outcome NotifyHandler::skip(const core::Job& job, Transaction& transaction, const std::string& reason) {
    counts_.skipped(reason,
                    storage::record_delivery(transaction, job, {.outcome = Outcome::skipped, .reason = reason}));
    return core::Completed{};
}

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
        if (!words) return skip(job, transaction, "nothing to send");
        return post(job, transaction, *to, std::move(*words), stop);
    } catch (const adapters::TemplateError& error) {
        return give_up(job, transaction, Failure::no_words, error.what());
    }
}

core::Outcome NotifyHandler::post(const core::Job& job, Transaction& transaction, const Notification& recipient,
                                  Letter letter, const std::stop_token& stop) {
    // Providers report a domain as servers know it, whatever script the user wrote it in. Asked here and not before: a
    // digest has taken on by now what is skipped with it.
    if (const auto told = adapters::ascii_address(recipient.address);
        told != recipient.address && storage::is_suppressed(transaction, told)) {
        return skip(job, transaction, "suppressed");
    }
    const auto began = Clock::now();
    adapters::Mail mail;
    mail.from = recipient.sender.empty() ? send_.default_sender() : adapters::parse_mailbox(recipient.sender);
    mail.to.address = recipient.address;
    mail.unsubscribe_url = recipient.unsubscribe_url;
    mail.subject = std::move(letter.subject);
    mail.text = std::move(letter.text);
    mail.html = std::move(letter.html);
    if (const auto problem = adapters::mail_problem(mail)) {
        return give_up(job, transaction, Failure::not_sound, fmt::format("{}: {}", problem->field, problem->reason));
    }
    auto sent = send_.deliver(job, std::move(mail), stop);
    if (std::holds_alternative<core::Completed>(sent.outcome)) {
        const auto took = Clock::now() - began;
        counts_.sent(storage::record_delivery(transaction, job,
                                              {.outcome = Outcome::sent,
                                               .reason = "",
                                               .message_id = sent.message_id,
                                               .reply = sent.reply,
                                               .redirected_to = send_.redirect_all(),
                                               .sent_to = recipient.address}));
        if (recipient.waited) counts_.accepted(*recipient.waited + took);
    } else if (auto* refused = std::get_if<core::Discarded>(&sent.outcome)) {
        return give_up(job, transaction, Failure::refused, std::move(refused->error));
    } else if (auto* failed = std::get_if<core::Failed>(&sent.outcome);
               failed != nullptr && job.attempt >= job.max_attempts && !stop.stop_requested()) {
        return give_up(job, transaction, Failure::put_off, std::move(failed->error));
    }
    return std::move(sent.outcome);
}

std::optional<Notification> NotifySend::recipient(const core::Job& job, Transaction& transaction) {
    return storage::notification_of(transaction, job);
}

std::optional<Letter> NotifySend::letter(const core::Job&, Transaction& transaction, const Notification& recipient) {
    return letter_of(recipient, storage::notify_template(transaction, recipient.event_type, recipient.locale));
}

NotifyDigest::NotifyDigest(Send& send, NotifySettings settings, NotifyCounts& counts, storage::SessionPool& sessions)
    : NotifyHandler{send, std::move(settings), counts}, sessions_{sessions} {}

std::optional<Notification> NotifyDigest::recipient(const core::Job& job, Transaction& transaction) {
    auto to = storage::digest_to(transaction, job);
    // What it would have held comes to its end with it.
    if (to && !to->skip.empty()) std::ignore = storage::digest_of(*sessions_.lend(session_purpose), job);
    return to;
}

std::optional<Letter> NotifyDigest::letter(const core::Job& job, Transaction& transaction,
                                           const Notification& recipient) {
    auto events = storage::digest_of(*sessions_.lend(session_purpose), job);
    if (events.empty()) return std::nullopt;
    std::map<std::string, std::optional<storage::NotifyTemplate>> templates;
    for (auto& event : std::span{events}.first(std::min(events.size(), max_digest_subjects))) {
        const auto [found, is_new] = templates.try_emplace(event.event_type);
        if (is_new) found->second = storage::notify_template(transaction, event.event_type, recipient.locale);
        if (found->second) event = in_template(std::move(event), recipient, *found->second);
    }
    return digest_letter(recipient, events,
                         storage::notify_template(transaction, recipient.event_type, recipient.locale));
}

}  // namespace millrace::handlers::email
