#pragma once
// JSON as whoever gets it reads it. In a source of its own: the parser takes long to compile.

#include <optional>
#include <string>
#include <string_view>

namespace millrace::fuzz {

[[nodiscard]] bool is_json(std::string_view text);

// A member of the object that the text is, written out again; nothing when it is no object or has no such member.
[[nodiscard]] std::optional<std::string> json_member(std::string_view text, const std::string& key);

// The same, for a member that is a string: its characters.
[[nodiscard]] std::optional<std::string> json_string(std::string_view text, const std::string& key);

// An array of objects: how many there are, and the string that each has for the key.
[[nodiscard]] std::optional<std::string> json_string_at(std::string_view array, std::size_t index,
                                                        const std::string& key);

}  // namespace millrace::fuzz
