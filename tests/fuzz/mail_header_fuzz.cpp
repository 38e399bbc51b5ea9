// Subjects and names of people, from payloads and so from web forms, on their way into the header of a mail. A unit
// separator (0x1f) stands between subject and name.
//
// Property: whatever the text, it makes one header and not two; lines keep to their limits; a reader decodes the same
// text. And in a body every line end becomes CRLF.

#include "adapters/mime.hpp"
#include "fuzz/input.hpp"
#include "fuzz/mail_reader.hpp"

namespace millrace::fuzz {
namespace {

void require_sound_body(std::string_view body) {
    const auto sent = adapters::with_crlf(body);
    for (std::size_t at = 0; at < sent.size(); ++at) {
        if (sent[at] == '\r') require(at + 1 < sent.size() && sent[at + 1] == '\n', "no CR without LF", sent);
        if (sent[at] == '\n') require(at > 0 && sent[at - 1] == '\r', "no LF without CR", sent);
    }
    require(adapters::with_crlf(sent) == sent, "line ends that are sound stay as they are", sent);
}

}  // namespace

void try_input(std::string_view bytes) {
    const auto parts = split(bytes, '\x1f');
    const std::string subject{parts.front()};
    const auto name_width = std::string_view{"Subject: "}.size();
    const auto header = adapters::encode_header_text(subject, name_width);
    require_one_header(header, name_width);
    require(read_text(header) == subject, "a reader sees the same subject", header);

    const adapters::Mailbox mailbox{"ada@example.org", std::string{parts.back()}};
    const auto value = adapters::encode_mailbox(mailbox, std::string_view{"Reply-To: "}.size());
    require_one_header(value, std::string_view{"Reply-To: "}.size());
    const auto read = read_mailbox(value);
    require(read.name == mailbox.name, "a reader sees the same name", value);
    require(read.address == mailbox.address, "a reader sees the same address", value);

    require_sound_body(bytes);
}

}  // namespace millrace::fuzz
