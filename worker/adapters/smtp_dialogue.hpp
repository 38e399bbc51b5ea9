#pragma once
// What was said on an SMTP connection about one mail: how far it came, and the server's last word.
//
// That decides what a lost connection means. The same broken pipe says that nothing was delivered before the
// message was sent, and that nobody knows afterwards.
//
// The farewell does not count: a refused mail ends its connection, and the answer to QUIT is no verdict.
//
// AUTH exchanges are not recorded: of our own lines only the verbs of a mail transaction are looked at, in their
// order, and the secrets given here are struck out of whatever a server echoes.
//
// Thread rule: none; one dialogue per mail and thread.

#include "adapters/delivery.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::adapters {

class SmtpDialogue {
public:
    // The last thing we said, and have had no good reply to.
    enum class Phase {
        opening,    // anything before MAIL: connecting, greeting, STARTTLS, AUTH
        sender,     // MAIL
        recipient,  // RCPT
        data,       // DATA
        message,    // the message itself, after 354
    };

    static constexpr std::size_t max_reply = 1000;  // bytes of a reply that are kept

    // The secrets outlive the dialogue.
    explicit SmtpDialogue(const std::vector<std::string>& secrets) : secrets_{secrets} {}

    void sent(std::string_view command);
    void heard(std::string_view line);

    [[nodiscard]] Phase phase() const noexcept { return phase_; }
    [[nodiscard]] std::string reply() const { return clean(reply_); }

    // Text of others, made fit for a log: secrets struck out, printable ASCII only.
    [[nodiscard]] std::string clean(std::string_view text) const;

private:
    const std::vector<std::string>& secrets_;
    Phase phase_ = Phase::opening;
    std::string reply_;
    enum class Hearing { next_reply, same_reply, no_more } hearing_ = Hearing::next_reply;
};

// Whose sender address the mail bears: that of the configuration, or one the job chose.
enum class Sender { configured, chosen };

// The verdict for a dialogue that ended in phase `phase` with `code` as the last reply.
Delivery::Verdict verdict(SmtpDialogue::Phase phase, int code, Sender sender);

}  // namespace millrace::adapters
