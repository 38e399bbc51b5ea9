#pragma once
// Hands one mail to one SMTP server, and says what became of it.
//
// Delivered means that the server answered the end of the message with 250 and so took responsibility for it.
// Everything else is decided by the server's last reply and by what it answered (smtp_dialogue.hpp), not by the
// way the connection ended: only a message's own refusal is the message's fault.
//
// Connections stay open between mails, as many as there were mails under way at one time. What goes wrong on such a
// kept connection before the message is sent is tried once more on a fresh one: the server may have closed the old
// one meanwhile, or take a limited number of mails on each.
//
// Its server, and who it is there, may change between two mails; the default sender does not.
//
// Thread rule: `deliver` and `adjust` may be called from any thread, concurrently.

#include "adapters/delivery.hpp"
#include "adapters/mail.hpp"
#include "adapters/smtp_settings.hpp"
#include "core/guarded.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>

namespace millrace::adapters {

class Smtp {
public:
    // Throws std::invalid_argument, naming the setting and the remedy, for a configuration that cannot work.
    explicit Smtp(SmtpSettings settings);
    ~Smtp();
    Smtp(const Smtp&) = delete;
    Smtp& operator=(const Smtp&) = delete;

    // From the next mail on; false when these are the settings already. Throws as the constructor does, and then
    // nothing has changed.
    bool adjust(SmtpSettings settings);

    // The mail must be sound (`mail_problem`). A stop request is noticed within a second; a message already sent is
    // then given SmtpTransfer::final_reply_grace for its reply.
    [[nodiscard]] Delivery deliver(const Mail& mail, const std::stop_token& stop);

    // The same, told step by step when it opened a connection.
    [[nodiscard]] Delivery deliver(const Mail& mail, const std::stop_token& stop, SmtpSteps& steps);

    // Deliveries that ended so, since this object was made.
    [[nodiscard]] const std::atomic<std::uint64_t>& count(Delivery::Verdict verdict) const {
        return counts_.at(static_cast<std::size_t>(verdict));
    }

    [[nodiscard]] const Mailbox& default_sender() const noexcept { return sender_; }

private:
    [[nodiscard]] Delivery try_to_deliver(const Mail& mail, const std::stop_token& stop, SmtpSteps& steps);

    struct Server;

    core::Guarded<std::shared_ptr<Server>> server_;
    const Mailbox sender_;
    std::array<std::atomic<std::uint64_t>, verdicts.size()> counts_{};
};

}  // namespace millrace::adapters
