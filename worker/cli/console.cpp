#include "cli/console.hpp"

#include "core/printable.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <ostream>

namespace millrace::cli {

namespace {

constexpr std::size_t usual_width = 80;
constexpr std::size_t most_start_bytes = 600;
constexpr std::size_t most_end_bytes = 300;

std::string_view code_of(Tone tone) {
    switch (tone) {
        case Tone::plain:
            return "";
        case Tone::good:
            return "\x1b[32m";
        case Tone::bad:
            return "\x1b[31m";
        case Tone::busy:
            return "\x1b[33m";
        case Tone::faint:
            return "\x1b[2m";
        case Tone::strong:
            return "\x1b[1m";
    }
    return "";
}

bool continues_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// One line, whatever was typed or a server said. It may repeat an argument, and what is wrong with that stands behind
// it: of a long text the start and the end are shown.
std::string one_line(std::string_view text) {
    std::string line;
    if (text.size() > most_start_bytes + most_end_bytes) {
        line = core::printable(text, most_start_bytes) + " ";
        text.remove_prefix(text.size() - most_end_bytes);
        while (!text.empty() && continues_character(text.front()))
            text.remove_prefix(1);
    }
    line = harmless(line + core::printable(text, most_start_bytes + most_end_bytes));
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

}  // namespace

Screen Screen::of(int descriptor, bool allows_colours) {
    Screen screen;
    screen.is_terminal = isatty(descriptor) == 1;
    if (!screen.is_terminal) return screen;
    screen.has_colours = allows_colours;
    winsize size{};
    const bool is_known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    screen.width = is_known ? size.ws_col : usual_width;
    return screen;
}

std::string Screen::toned(std::string_view text, Tone tone) const {
    if (!has_colours || tone == Tone::plain) return std::string{text};
    return fmt::format("{}{}\x1b[0m", code_of(tone), text);
}

void Console::complain(std::string_view problem, std::string_view remedy) const {
    err << err_screen.toned("error:", Tone::bad) << ' ' << one_line(problem) << '\n';
    if (!remedy.empty()) err << err_screen.toned("  hint:", Tone::faint) << ' ' << one_line(remedy) << '\n';
}

std::string harmless(std::string_view text) {
    std::string shown;
    shown.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        // U+0080 … U+009F, the second set of control characters, begin with 0xC2 in UTF-8.
        const bool is_second_set =
            byte == 0xC2U && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0U;
        if (is_second_set) {
            ++at;
            shown += ' ';
        } else {
            shown += byte < 0x20U || byte == 0x7FU ? ' ' : text[at];
        }
    }
    return shown;
}

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    for (const char byte : text)
        columns += continues_character(byte) ? 0 : 1;
    return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
    if (columns_of(text) <= columns) return std::string{text};
    if (columns == 0) return {};
    std::size_t end = 0;
    for (std::size_t kept = 0; end < text.size(); ++end) {
        if (continues_character(text[end])) continue;
        if (kept == columns - 1) break;
        ++kept;
    }
    return std::string{text.substr(0, end)} + "…";
}

std::string grouped(std::size_t number) {
    auto digits = std::to_string(number);
    for (auto at = digits.size(); at > 3; at -= 3)
        digits.insert(at - 3, ",");
    return digits;
}

}  // namespace millrace::cli
