// The standard input of `millrace enqueue`: JSON Lines from anywhere.
//
// Property: what is handed out is JSON, with its line's number, and nothing but blank lines is left out; a refusal
// names the first line that is no JSON.

#include "cli/json_lines.hpp"
#include "fuzz/input.hpp"
#include "fuzz/json_reader.hpp"

#include <sstream>
#include <string>

namespace millrace::fuzz {
namespace {

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == line.npos;
}

}  // namespace

void try_input(std::string_view bytes) {
    const auto lines = split(bytes, '\n');
    std::istringstream stream{std::string{bytes}};
    cli::JsonLines reader{stream};
    std::size_t next = 0;  // the first line that has not been handed out
    try {
        for (auto chunk = reader.next(); !chunk.payloads.empty(); chunk = reader.next()) {
            require(chunk.payloads.size() == chunk.line_numbers.size(), "each payload has a line number");
            for (std::size_t at = 0; at < chunk.payloads.size(); ++at) {
                while (next < lines.size() && is_blank(lines[next]))
                    ++next;
                require(next < lines.size() && lines[next] == chunk.payloads[at], "payloads are lines, in their order");
                require(chunk.line_numbers[at] == ++next, "a payload bears its line's number");
                require(is_json(chunk.payloads[at]), "a payload is JSON", chunk.payloads[at]);
            }
        }
    } catch (const cli::BadLine& error) {
        while (next < lines.size() && (is_blank(lines[next]) || is_json(lines[next])))
            ++next;
        const auto name = "line " + std::to_string(next + 1) + ": ";
        require(next < lines.size() && std::string_view{error.what()}.starts_with(name),
                "a refusal names the first line that is no JSON", error.what());
        return;
    }
    while (next < lines.size() && is_blank(lines[next]))
        ++next;
    require(next >= lines.size(), "no line is left out");
}

}  // namespace millrace::fuzz
