#pragma once
// The payload of `email.send`, and the mail that it asks for:
//
//     {"to": "ada@example.com",                     or {"address": "ada@example.com", "name": "Ada"}
//      "subject": "…",
//      "text": "…", "html": "…",                    at least one of them
//      "from": …, "reply_to": …,                    written like "to"; optional
//      "unsubscribe_url": "https://…",              optional
//      "attachments": [{"name": "invoice.pdf", "type": "application/pdf", "content": "…"}]}     content in base64
//
// A key that is not known is refused, because a misspelt one would otherwise be lost in silence.

#include "adapters/mail.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace millrace::handlers::email {

// Names the key, what is wrong with it and the remedy. Quotes no value.
struct PayloadProblem {
    std::string text;
};

// Without "from" the mail bears the default sender. Message-ID and date are left to the caller.
std::variant<adapters::Mail, PayloadProblem> read_mail(std::string_view payload,
                                                       const adapters::Mailbox& default_sender);

}  // namespace millrace::handlers::email
