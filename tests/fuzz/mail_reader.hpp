#pragma once
// Header lines of a mail as the recipient's program reads them: unfolded, encoded-words decoded (RFC 2047), quoted
// names unquoted (RFC 5322 3.2.4).

#include <string>
#include <string_view>

namespace millrace::fuzz {

// That a header, folded or not, can only be read as one header: line breaks are CRLF before a blank, all else is
// printable ASCII or a tab, and no line exceeds the 998 bytes of RFC 5322, or the 76 of RFC 2047 with an encoded-word.
// `name_width` columns stand before it on its first line.
void require_one_header(std::string_view header, std::size_t name_width = 0);

// The text that a value stands for.
[[nodiscard]] std::string read_text(std::string_view value);

struct ReadMailbox {
    std::string name;
    std::string address;
};
[[nodiscard]] ReadMailbox read_mailbox(std::string_view value);

}  // namespace millrace::fuzz
