#pragma once
// Where a command reads and writes, and whether a person sits there: colours, widths and progress are for people only.

#include "core/duration.hpp"

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>

namespace millrace::cli {

enum class Tone { plain, good, bad, busy, faint, strong };

// One output: a terminal, or a file or pipe, for which nothing is coloured or cut.
struct Screen {
    bool is_terminal = false;
    bool has_colours = false;
    std::size_t width = 0;  // in columns; 0: without limit

    [[nodiscard]] static Screen of(int descriptor, bool allows_colours);
    [[nodiscard]] std::string toned(std::string_view text, Tone tone) const;
};

struct Console {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    Screen out_screen;
    Screen err_screen;

    // "error: …" and, indented, what to do about it.
    void complain(std::string_view problem, std::string_view remedy) const;
};

// Text from outside as it may be shown: control characters, which could steer a terminal, become blanks.
[[nodiscard]] std::string harmless(std::string_view text);

// Columns that a UTF-8 text takes on a terminal; every character counts as one.
[[nodiscard]] std::size_t columns_of(std::string_view text);
// At most so many columns, the last of them an ellipsis where something was cut.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);

using core::rough_age;
// 1234567 as 1,234,567.
[[nodiscard]] std::string grouped(std::size_t number);

}  // namespace millrace::cli
