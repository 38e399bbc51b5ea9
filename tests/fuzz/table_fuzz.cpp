// What `millrace jobs` and `millrace queues` show: errors, names and payloads that others wrote. The first byte is the
// width of the terminal; unit separators (0x1f) stand between cells, and a cell that begins with { or [ is a payload.
//
// Property: nothing in it steers the terminal; a line keeps to the width as long as columns have room to give; as JSON
// it can be read, and says the same.

#include "cli/table.hpp"
#include "fuzz/input.hpp"
#include "fuzz/json_reader.hpp"
#include "fuzz/text.hpp"

#include <algorithm>
#include <sstream>
#include <string>

namespace millrace::fuzz {
namespace {

constexpr std::size_t columns = 3;
constexpr std::size_t least_line = 3 * 8 + 2 * 2;  // columns of the least width, and the gaps between them

void require_sound_lines(const std::string& text, std::size_t width) {
    for (const auto line : split(text, '\n')) {
        require(is_harmless(line), "a terminal obeys nothing in it", line);
        if (width >= least_line) require(cli::columns_of(line) <= width, "a line keeps to the width", line);
    }
}

}  // namespace

void try_input(std::string_view bytes) {
    const std::size_t width = take_byte(bytes);
    auto parts = split(bytes, '\x1f');
    parts.resize((parts.size() + columns - 1) / columns * columns);
    cli::Table table{{{"queue"}, {"error"}, {"payload"}}};
    for (std::size_t at = 0; at < parts.size(); at += columns) {
        const bool is_payload = parts[at + 2].starts_with('{') || parts[at + 2].starts_with('[');
        table.add({cli::Cell::of(std::string{parts[at]}), cli::Cell::of(std::string{parts[at + 1]}),
                   is_payload ? cli::Cell::json(std::string{parts[at + 2]}) : cli::Cell{}});
    }
    const cli::Screen screen{.is_terminal = true, .has_colours = false, .width = width};
    std::ostringstream lines;
    table.print(lines, screen);
    require_sound_lines(lines.str(), width);
    require(split(lines.str(), '\n').size() == table.rows() + 2, "each row is one line, below the titles");

    std::ostringstream record;
    table.print_record(record, screen);
    require_sound_lines(record.str(), 0);

    std::ostringstream json;
    table.print_json(json);
    require(is_json(json.str()), "it is JSON", json.str());
    for (std::size_t at = 0; at < parts.size(); ++at) {
        if (at % columns == 2 || !is_utf8(parts[at])) continue;
        const auto told = json_string_at(json.str(), at / columns, at % columns == 0 ? "queue" : "error");
        require(told == parts[at], "a program is told what the database says", json.str());
    }
}

}  // namespace millrace::fuzz
