#include "adapters/smtp_dialogue.hpp"

#include <algorithm>

namespace millrace::adapters {
namespace {

using Phase = SmtpDialogue::Phase;
using Verdict = Delivery::Verdict;

bool begins_with(std::string_view text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

// Replies about the session rather than the mail, whatever they answer: authentication required, authentication
// refused (RFC 4954 6).
bool is_about_service(int code) {
    return code == 530 || code == 535;
}

constexpr int going_away = 421;  // RFC 5321 3.8

// A permanent reply to MAIL speaks of us (blocked, not allowed to send as this) with two exceptions: the message is
// larger than this server takes (RFC 1870 6.1), and a sender address that the job chose is not allowed.
bool is_about_mail(int code, Sender sender) {
    return code == 552 || (code == 553 && sender == Sender::chosen);
}

}  // namespace

void SmtpDialogue::sent(std::string_view command) {
    // Each phase waits for its own successor only, so that no line of an AUTH exchange is taken for a verb.
    if (phase_ == Phase::opening && begins_with(command, "MAIL FROM:")) phase_ = Phase::sender;
    if (phase_ == Phase::sender && begins_with(command, "RCPT TO:")) phase_ = Phase::recipient;
    if (phase_ == Phase::recipient && begins_with(command, "DATA\r\n")) phase_ = Phase::data;
    if (phase_ != Phase::opening && begins_with(command, "QUIT\r\n")) hearing_ = Hearing::no_more;
}

void SmtpDialogue::heard(std::string_view line) {
    if (hearing_ == Hearing::no_more) return;
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n'))
        line.remove_suffix(1);
    if (begins_with(line, "334")) return;  // a challenge of AUTH
    if (phase_ == Phase::data && begins_with(line, "354")) phase_ = Phase::message;

    if (hearing_ == Hearing::next_reply) reply_.clear();
    // "550-first" and "550 last" are one reply: its later lines add their text only.
    hearing_ = line.size() > 3 && line[3] == '-' ? Hearing::same_reply : Hearing::next_reply;
    if (reply_.size() >= max_reply) return;
    if (!reply_.empty()) {
        line.remove_prefix(std::min<std::size_t>(line.size(), 4));
        reply_ += ' ';
    }
    reply_ += line.substr(0, max_reply - reply_.size());
}

std::string SmtpDialogue::clean(std::string_view text) const {
    std::string out{text};
    for (const auto& secret : secrets_) {
        for (auto at = out.find(secret); at != std::string::npos; at = out.find(secret, at)) {
            out.replace(at, secret.size(), "***");
            at += 3;
        }
    }
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return out;
}

Verdict verdict(Phase phase, int code, Sender sender) {
    if (phase == Phase::opening || is_about_service(code)) return Verdict::unserved;
    // A server that falls silent or leaves may do so because of the recipient or the message. If that did not count as
    // an attempt, such a mail would be tried for ever.
    const auto gone = phase == Phase::sender ? Verdict::unserved : Verdict::broken_off;
    if (code == going_away) return gone;
    switch (code / 100) {
        case 4:
            return Verdict::deferred;
        case 5:
            return phase == Phase::sender && !is_about_mail(code, sender) ? Verdict::unserved : Verdict::rejected;
        default:
            break;
    }
    // No refusal: the reply never came, and what `code` holds is the reply before it.
    if (phase != Phase::message) return gone;
    return code / 100 == 2 ? Verdict::accepted : Verdict::ambiguous;
}

}  // namespace millrace::adapters
