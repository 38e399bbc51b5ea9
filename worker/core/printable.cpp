#include "core/printable.hpp"

#include <cstdint>

namespace millrace::core {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none (RFC 3629: no overlong forms,
// no surrogates, nothing above U+10FFFF).
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto continues = [&](std::size_t i, std::uint8_t least = 0x80, std::uint8_t most = 0xBF) {
        return i < text.size() && byte(i) >= least && byte(i) <= most;
    };
    const auto first = byte(0);
    if (first == 0) return 0;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const std::uint8_t least = first == 0xE0 ? 0xA0 : 0x80;
        const std::uint8_t most = first == 0xED ? 0x9F : 0xBF;
        return continues(1, least, most) && continues(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const std::uint8_t least = first == 0xF0 ? 0x90 : 0x80;
        const std::uint8_t most = first == 0xF4 ? 0x8F : 0xBF;
        return continues(1, least, most) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
    constexpr std::string_view ellipsis{"…"};
    std::string result;
    std::size_t room_for_ellipsis = 0;  // where to cut should the limit be passed
    while (!text.empty()) {
        const auto length = sequence_length(text);
        const auto piece = length == 0 ? std::string_view{"?"} : text.substr(0, length);
        if (result.size() + piece.size() > limit) {
            result.resize(room_for_ellipsis);
            return limit < ellipsis.size() ? result : result.append(ellipsis);
        }
        result += piece;
        if (result.size() + ellipsis.size() <= limit) room_for_ellipsis = result.size();
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result;
}

}  // namespace millrace::core
