#pragma once
// Templates in Mustache (mustache(5)): variables, sections, inverted sections and comments.
//
// There are no partials and no other delimiters: a template is one text, and what it means does not depend on what
// stands before. Data that is missing is nothing; what is written is bounded.
//
// Pure functions.

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>

namespace millrace::adapters {

inline constexpr std::size_t max_template = 262'144;    // bytes
inline constexpr std::size_t max_rendered = 1'048'576;  // bytes
inline constexpr int max_section_depth = 8;
inline constexpr int max_data_depth = 32;

enum class Escaping {
    html,  // of each value, but in {{{triple}}} braces
    none,
};

// What is wrong, and where: "byte 17: …".
class TemplateError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// `data` is the text of a JSON object. Throws TemplateError.
[[nodiscard]] std::string render(const std::string& source, const std::string& data, Escaping escaping);

// Nothing when it can be rendered.
[[nodiscard]] std::optional<std::string> template_problem(const std::string& source);

}  // namespace millrace::adapters
