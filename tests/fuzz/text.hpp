#pragma once
// Text as a terminal or a database would judge it. Decodes code points, where the product compares bytes: a second
// opinion.

#include <cstdint>
#include <string_view>

namespace millrace::fuzz {

// Takes one code point off the front; -1 and one byte where UTF-8 is violated (RFC 3629).
[[nodiscard]] inline std::int32_t take_character(std::string_view& text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    std::int32_t code = length < 2 ? first : first & (0x7F >> length);
    bool is_sound = length > 0 && length <= text.size() && first < 0xF8;
    for (std::size_t at = 1; is_sound && at < length; ++at) {
        const auto next = static_cast<unsigned char>(text[at]);
        is_sound = next >> 6 == 2;
        code = code << 6 | (next & 0x3F);
    }
    constexpr std::int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    is_sound = is_sound && code >= least[length] && code <= 0x10FFFF && !is_surrogate;
    text.remove_prefix(is_sound ? length : 1);
    return is_sound ? code : -1;
}

[[nodiscard]] inline bool is_utf8(std::string_view text) {
    while (!text.empty())
        if (take_character(text) < 0) return false;
    return true;
}

// Nothing in it steers a terminal or ends a line: no control character of either set of ISO 6429.
[[nodiscard]] inline bool is_harmless(std::string_view text) {
    while (!text.empty()) {
        const auto code = take_character(text);
        if ((code >= 0 && code < 0x20) || (code >= 0x7F && code < 0xA0)) return false;
    }
    return true;
}

}  // namespace millrace::fuzz
