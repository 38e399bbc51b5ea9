#pragma once
// A mail as its author thinks of it, and whether it may be sent.
//
// Nothing a person typed can add a header or a recipient: text that holds a line break or another control
// character is refused, not repaired, and addresses are checked against the syntax of RFC 5321, without quoting.
// A domain may be internationalised: servers are told its xn-- form. What stands before the @ is ASCII, because few
// servers take anything else (RFC 6531).
//
// Pure values and functions: no I/O, no clock. Strings are UTF-8, as the caller promises.

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
inline constexpr std::size_t max_domain_label = 63;
inline constexpr std::size_t max_display_name = 256;
inline constexpr std::size_t max_subject = 998;
inline constexpr std::size_t max_body = 1'048'576;  // text and html together
inline constexpr std::size_t max_attachments = 10;
inline constexpr std::size_t max_attached = 10'485'760;  // all contents together, before their encoding
inline constexpr std::size_t max_attachment_name = 255;  // what a file system takes
inline constexpr std::size_t max_url = 900;              // a header line cannot be folded inside it

struct Mailbox {
    std::string address;
    std::string name;  // may be empty
};

// A file, carried unchanged. Its type is a media type like "application/pdf", with at most a charset behind it.
struct Attachment {
    std::string name;
    std::string type;
    std::string content;
};

// Bodies may have any line endings; at least one of them is not empty.
struct Mail {
    Mailbox from;
    Mailbox to;
    std::optional<Mailbox> reply_to;
    std::string subject;
    std::string text;
    std::string html;
    std::string message_id;  // with its angle brackets; the same for every attempt at the same mail
    std::chrono::system_clock::time_point date;
    std::vector<Attachment> attachments{};
    // https; empty: none. One POST to it must end the subscription, without a login or a question (RFC 8058).
    std::string unsubscribe_url{};
};

// Why a mail cannot be sent. Quotes nothing of the mail: problems are logged and mails are private.
struct MailProblem {
    std::string field;   // the member of Mail, "text" for the bodies together
    std::string reason;  // what is wrong; what to do
};

// Nothing when the mail, the mailbox or the address may be sent.
std::optional<MailProblem> mail_problem(const Mail& mail);
std::optional<std::string> mailbox_problem(const Mailbox& mailbox);
std::optional<std::string> address_problem(std::string_view address);
std::optional<std::string> attachment_problem(const Attachment& attachment);
std::optional<std::string> url_problem(std::string_view url);

// A sound address as servers are told it: the domain in ASCII.
std::string ascii_address(std::string_view address);

// Reads "address" or "Name <address>"; an address that is neither comes back as it is, to be found out above.
Mailbox parse_mailbox(std::string_view text);

}  // namespace millrace::adapters
