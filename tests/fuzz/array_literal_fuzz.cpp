// Payloads and names of jobs on their way to PostgreSQL as one array: elements between unit separators (0x1f).
//
// Property: read by the rules of PostgreSQL's array input, the literal gives the same elements.

#include "fuzz/input.hpp"
#include "storage/array_literal.hpp"

#include <optional>
#include <string>

namespace millrace::fuzz {
namespace {

using Element = std::optional<std::string>;

// One dimension, no blanks: an element is quoted, with backslashes before what is meant literally, or a bare word, of
// which NULL is none at all.
Element take_element(std::string_view& text) {
    std::string element;
    if (!text.starts_with('"')) {
        const auto end = text.find_first_of(",}");
        require(end != text.npos, "an element ends", text);
        element = text.substr(0, end);
        require(element.find_first_of("\"\\{ ") == element.npos && !element.empty(), "a bare word is bare", element);
        text.remove_prefix(end);
        return element == "NULL" ? Element{} : Element{element};
    }
    text.remove_prefix(1);
    while (!text.starts_with('"')) {
        if (text.starts_with('\\')) text.remove_prefix(1);
        require(!text.empty(), "a quoted element ends");
        element += text.front();
        text.remove_prefix(1);
    }
    text.remove_prefix(1);
    return element;
}

std::vector<Element> read_array(std::string_view text) {
    std::vector<Element> elements;
    require(text.starts_with('{') && text.ends_with('}'), "an array stands in braces", text);
    text.remove_prefix(1);
    if (text == "}") return elements;
    while (true) {
        elements.push_back(take_element(text));
        if (text == "}") return elements;
        require(text.starts_with(','), "a comma follows an element", text);
        text.remove_prefix(1);
    }
}

}  // namespace

void try_input(std::string_view bytes) {
    constexpr std::string_view null_mark{"\x01"};
    storage::ArrayLiteral array;
    std::vector<Element> given;
    for (const auto part : split(bytes, '\x1f')) {
        if (part == null_mark) {
            array.add_null();
            given.emplace_back();
        } else if (part.starts_with('\x02')) {
            array.add(static_cast<std::int64_t>(part.size()) - 10);
            given.emplace_back(std::to_string(static_cast<std::int64_t>(part.size()) - 10));
        } else {
            array.add(part);
            given.emplace_back(part);
        }
    }
    require(read_array(array.text()) == given, "PostgreSQL reads the same elements", array.text());
}

}  // namespace millrace::fuzz
