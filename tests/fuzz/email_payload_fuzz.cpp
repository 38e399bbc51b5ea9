// The payload of email.send: JSON from any producer.
//
// Property: a payload that is accepted makes a mail that may be sent, whose header lines are those that we wrote and no
// others; a refusal names what is wrong in one harmless line, and quotes no value.

#include "adapters/mime.hpp"
#include "fuzz/input.hpp"
#include "fuzz/mail_reader.hpp"
#include "fuzz/text.hpp"
#include "handlers/email/payload.hpp"

#include <string>

namespace millrace::fuzz {
namespace {

constexpr std::string_view secret{"s3cr3t"};

// As a value the secret stands behind a colon and a quotation mark; anything else may be a key, which is quoted.
bool is_secret_a_value_only(std::string_view text) {
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + 1)) {
        if (!text.substr(0, at).ends_with(":\"")) return false;
    }
    return true;
}

void require_sound(adapters::Mail mail) {
    mail.message_id = "<17.abc@millrace>";
    require(!adapters::mail_problem(mail), "what is accepted may be sent");
    const auto lines = adapters::header_lines(mail);
    require(lines.size() == 7U + (mail.reply_to ? 1U : 0U) + (mail.unsubscribe_url.empty() ? 0U : 2U),
            "the header lines are ours");
    for (const auto& line : lines)
        require_one_header(line);
    for (const auto& attachment : mail.attachments) {
        require_one_header("Content-Type: " + attachment.type);
        for (const auto& line : adapters::attachment_lines(attachment))
            require_one_header(line);
    }
    const auto value_of = [&](std::string_view name) {
        for (const auto& line : lines)
            if (line.starts_with(name)) return std::string_view{line}.substr(name.size());
        require(false, "each header is there", name);
        return std::string_view{};
    };
    require(read_text(value_of("Subject: ")) == mail.subject, "a reader sees the same subject");
    require(read_mailbox(value_of("From: ")).address == adapters::ascii_address(mail.from.address),
            "a reader sees the same sender");
    require(read_mailbox(value_of("To: ")).address == adapters::ascii_address(mail.to.address),
            "a reader sees the same recipient");
    require(read_mailbox(value_of("To: ")).name == mail.to.name, "a reader sees the recipient's name");
}

}  // namespace

void try_input(std::string_view bytes) {
    const adapters::Mailbox sender{"shop@example.org", "The shop"};
    const auto read = handlers::email::read_mail(bytes, sender);
    if (const auto* mail = std::get_if<adapters::Mail>(&read)) {
        require_sound(*mail);
        return;
    }
    const auto& problem = std::get<handlers::email::PayloadProblem>(read).text;
    require(problem.starts_with("payload key \"") || problem.starts_with("the payload "), "a refusal names the key",
            problem);
    require(is_utf8(problem) && is_harmless(problem), "a refusal is one harmless line", problem);
    if (is_secret_a_value_only(bytes)) require(problem.find(secret) == problem.npos, "no value is quoted", problem);
}

}  // namespace millrace::fuzz
