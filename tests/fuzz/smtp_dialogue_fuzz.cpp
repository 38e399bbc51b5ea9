// What a mail server answers, line by line. The first line of an input is the password; of the others, those that begin
// with > are sent by us, the rest are heard.
//
// Property: the reply kept is bounded, printable and without the password in any form; the dialogue never goes back a
// phase; a mail counts as accepted only when a server said so after the message, and is tried again without fear only
// when the message cannot have been delivered.

#include "adapters/smtp_dialogue.hpp"
#include "adapters/smtp_settings.hpp"
#include "fuzz/input.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace millrace::fuzz {
namespace {

using adapters::SmtpDialogue;
using Phase = SmtpDialogue::Phase;
using Verdict = adapters::Delivery::Verdict;

// A secret made of what striking out and cleaning write could seem to be there although it is not.
bool is_distinct(const std::string& secret) {
    return secret.size() > 3 && secret.find_first_of("*?") == secret.npos;
}

void require_fit_reply(const SmtpDialogue& dialogue, const std::vector<std::string>& secrets) {
    const auto reply = dialogue.reply();
    require(std::all_of(reply.begin(), reply.end(), [](char c) { return c >= ' ' && c <= '~'; }),
            "a reply is printable", reply);
    const bool are_distinct = std::all_of(secrets.begin(), secrets.end(), is_distinct);
    if (!are_distinct) return;
    require(reply.size() <= SmtpDialogue::max_reply, "a reply is bounded", reply);
    for (const auto& secret : secrets)
        require(reply.find(secret) == reply.npos, "a reply holds no secret", reply);
}

void require_fit_verdict(Phase phase, int code) {
    for (const auto sender : {adapters::Sender::configured, adapters::Sender::chosen}) {
        const auto verdict = adapters::verdict(phase, code, sender);
        const bool is_delivered = phase == Phase::message && code / 100 == 2;
        require((verdict == Verdict::accepted) == is_delivered, "accepted is what was sent and confirmed");
        const bool is_unknown = phase == Phase::message && code / 100 != 2 && code / 100 != 4 && code / 100 != 5;
        require((verdict == Verdict::ambiguous) == is_unknown, "ambiguous is what was sent and not answered");
        if (phase == Phase::opening) require(verdict == Verdict::unserved, "before MAIL nothing is about the mail");
        if (phase == Phase::sender) require(verdict != Verdict::broken_off, "before RCPT the server is at fault");
        if (verdict == Verdict::rejected) require(code / 100 == 5, "only a permanent refusal is final");
        if (verdict == Verdict::deferred) require(code / 100 == 4, "only a passing refusal defers");
    }
}

}  // namespace

void try_input(std::string_view bytes) {
    auto lines = split(bytes, '\n');
    adapters::SmtpSettings settings;
    settings.username = "shop";
    settings.password = lines.front();
    const auto secrets = adapters::secrets_of(settings);
    SmtpDialogue dialogue{secrets};
    lines.erase(lines.begin());
    for (const auto line : lines) {
        const auto before = dialogue.phase();
        const bool is_ours = line.starts_with('>');
        const auto text = std::string{line.substr(is_ours ? 1 : 0)} + "\r\n";
        is_ours ? dialogue.sent(text) : dialogue.heard(text);
        require(dialogue.phase() >= before, "a dialogue never goes back");
        if (is_ours && before != Phase::message) {
            require(dialogue.phase() != Phase::message, "only the server's 354 lets us send the message");
        }
        require_fit_reply(dialogue, secrets);

        int code = 0;
        std::from_chars(line.data(), line.data() + std::min<std::size_t>(line.size(), 3), code);
        require_fit_verdict(dialogue.phase(), code);
    }
}

}  // namespace millrace::fuzz
