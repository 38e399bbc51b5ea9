#pragma once
// `notify.send` and `notify.digest`: one notification, or all that a user's digest has collected, as a mail.
//
//     accepted                              → completed, and `sent` is recorded
//     suppressed, erased, expired, nothing  → completed, and `skipped` with its reason
//     refused for good, a bad template      → dead letter, and `failed`
//     put off, broken off in the middle, or
//     lost after it was sent                → failed: retried; after the last attempt a dead letter, and `failed`
//     the server is of no use               → snoozed, as email.send
//
// What is recorded commits with the settle, or not at all. Until the server has answered, the settling transaction only
// reads, so that it holds neither a lock on a row nor a snapshot; what a digest takes on is committed before.
//
// Thread rule: that of TransactionalHandler.

#include "engine/handler.hpp"
#include "handlers/email/letter.hpp"
#include "handlers/email/notify_counts.hpp"
#include "handlers/email/send.hpp"
#include "storage/session_pool.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace millrace::handlers::email {

struct NotifySettings {
    // The address at which a user ends the subscription to an event type. An empty function, or text: there is none.
    std::function<std::string(const std::string& username, const std::string& event_type)> unsubscribe_url{};
};

class NotifyHandler : public engine::TransactionalHandler {
public:
    // The references outlive the handler.
    NotifyHandler(Send& send, NotifySettings settings, NotifyCounts& counts);

    core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) final;

private:
    // Nothing: there is no such email.
    [[nodiscard]] virtual std::optional<storage::Notification> recipient(const core::Job& job,
                                                                         storage::Transaction& transaction) = 0;
    // Nothing: there is nothing to send. Throws adapters::TemplateError.
    [[nodiscard]] virtual std::optional<Letter> letter(const core::Job& job, storage::Transaction& transaction,
                                                       const storage::Notification& recipient) = 0;

    core::Outcome post(const core::Job& job, storage::Transaction& transaction, const storage::Notification& recipient,
                       Letter letter, const std::stop_token& stop);

    // Recorded, and a dead letter, in one transaction.
    core::Outcome give_up(const core::Job& job, storage::Transaction& transaction, NotifyCounts::Failure why,
                          std::string error);
    core::Outcome skip(const core::Job& job, storage::Transaction& transaction, const std::string& reason);

    Send& send_;
    const NotifySettings settings_;
    NotifyCounts& counts_;
};

class NotifySend final : public NotifyHandler {
public:
    using NotifyHandler::NotifyHandler;

private:
    std::optional<storage::Notification> recipient(const core::Job& job, storage::Transaction& transaction) override;
    std::optional<Letter> letter(const core::Job& job, storage::Transaction& transaction,
                                 const storage::Notification& recipient) override;
};

class NotifyDigest final : public NotifyHandler {
public:
    // As above.
    NotifyDigest(Send& send, NotifySettings settings, NotifyCounts& counts, storage::SessionPool& sessions);

private:
    std::optional<storage::Notification> recipient(const core::Job& job, storage::Transaction& transaction) override;
    std::optional<Letter> letter(const core::Job& job, storage::Transaction& transaction,
                                 const storage::Notification& recipient) override;

    storage::SessionPool& sessions_;
};

}  // namespace millrace::handlers::email
