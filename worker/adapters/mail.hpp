#pragma once
// A mail as its author thinks of it, whether it may be sent, and the header lines that carry it.
//
// Nothing a person typed can add a header or a recipient: text that holds a line break or another control
// character is refused, not repaired, and addresses are checked against the syntax of RFC 5321 (ASCII only;
// internationalised domains are refused). Header text outside printable ASCII is encoded by RFC 2047.
//
// Pure values and functions: no I/O, no clock.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::adapters {

// Limits in bytes. Addresses: RFC 5321 4.5.3.1 (64 before the @, 254 in all). Subject: RFC 5322 2.1.1.
inline constexpr std::size_t max_local_part = 64;
inline constexpr std::size_t max_address = 254;
inline constexpr std::size_t max_display_name = 256;
inline constexpr std::size_t max_subject = 998;
inline constexpr std::size_t max_body = 1024 * 1024;  // text and html together

struct Mailbox {
    std::string address;
    std::string name;  // UTF-8, may be empty
};

// Bodies are UTF-8 with any line endings; at least one of them is not empty.
struct Mail {
    Mailbox from;
    Mailbox to;
    std::optional<Mailbox> reply_to;
    std::string subject;  // UTF-8
    std::string text;
    std::string html;
    std::string message_id;  // with its angle brackets
    std::chrono::system_clock::time_point date;
};

// Why a mail cannot be sent: `field` is a member of Mail ("to", "subject", "body"), `reason` ends with the remedy.
struct MailProblem {
    std::string field;
    std::string reason;
};

// Nothing when the mail, or the address, may be sent.
std::optional<MailProblem> mail_problem(const Mail& mail);
std::optional<std::string> address_problem(std::string_view address);

// Reads "address" or "Name <address>"; nothing when it is neither. The parts are not checked.
std::optional<Mailbox> parse_mailbox(std::string_view text);

// "Name: value" per header in the order of sending, without the closing CRLF; long ones are folded.
std::vector<std::string> header_lines(const Mail& mail);

// The building blocks of header_lines.
std::string encode_header_text(std::string_view utf8, std::size_t name_length);
std::string encode_mailbox(const Mailbox& mailbox, std::size_t name_length);
std::string format_date(std::chrono::system_clock::time_point at);

}  // namespace millrace::adapters
