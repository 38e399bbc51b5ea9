#pragma once
// The header lines of a mail, in the encoding that every server and reader takes: ASCII, at most 76 columns
// where RFC 2047 asks for it, other text as base64 encoded-words that never split a character.
//
// The mail must be sound (`mail_problem`): nothing here refuses. Pure functions.

#include "adapters/mail.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::adapters {

// "Name: value" in the order of sending, without the closing line end; long values are folded.
std::vector<std::string> header_lines(const Mail& mail);

// What stands above an attachment's content, but for its type.
std::vector<std::string> attachment_lines(const Attachment& attachment);

// The value of a header whose name, with its colon and space, takes `name_width` columns.
std::string encode_header_text(std::string_view utf8, std::size_t name_width);
std::string encode_mailbox(const Mailbox& mailbox, std::size_t name_width);

// RFC 5322 3.3, in UTC: "Tue, 21 Nov 2023 05:41:00 +0000".
std::string format_date(std::chrono::system_clock::time_point at);

// Every line end as CRLF, which is what mail means by one.
std::string with_crlf(std::string_view text);

std::string base64(std::string_view bytes);

// What was encoded; nothing when it was not, or not whole. Line ends between the digits are passed over: PostgreSQL's
// encode() writes them.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace millrace::adapters
