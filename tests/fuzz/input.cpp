#include "fuzz/input.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace millrace::fuzz {

void require(bool holds, std::string_view property, std::string_view seen) {
    if (holds) return;
    static_cast<void>(
        std::fprintf(stderr, "property broken: %.*s\n", static_cast<int>(property.size()), property.data()));
    if (!seen.empty()) static_cast<void>(std::fputs("  seen: ", stderr));
    for (const char letter : seen) {
        const bool is_plain = letter >= ' ' && letter <= '~' && letter != '\\';
        static_cast<void>(std::fprintf(stderr, is_plain ? "%c" : "\\x%02x", static_cast<unsigned char>(letter)));
    }
    static_cast<void>(std::fputc('\n', stderr));
    std::abort();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (auto end = text.find(separator); end != text.npos; end = text.find(separator)) {
        parts.push_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    parts.push_back(text);
    return parts;
}

unsigned take_byte(std::string_view& text) {
    if (text.empty()) return 0;
    const auto byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    return byte;
}

}  // namespace millrace::fuzz

// libFuzzer's name for it.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    millrace::fuzz::try_input({reinterpret_cast<const char*>(data), size});
    return 0;
}
