#include "adapters/mustache.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <kainjow/mustache.hpp>

#include <utility>

namespace millrace::adapters {
namespace {

using Data = kainjow::mustache::data;
using Template = kainjow::mustache::mustache;
using nlohmann::json;

// The library reads templates that are nested without a limit, and knows more tags than are wanted here.
std::optional<std::string> tag_problem(const std::string& source) {
    int depth = 0;
    for (auto tag = source.find("{{"); tag != std::string::npos; tag = source.find("{{", tag + 2)) {
        const auto begin = source.find_first_not_of(" \t\r\n", tag + 2);
        if (begin == std::string::npos) break;
        switch (source[begin]) {
            case '=':
                return fmt::format("byte {}: delimiters cannot be changed", tag + 1);
            case '>':
                return fmt::format("byte {}: there are no partials; write the text itself", tag + 1);
            case '#':
            case '^':
                if (++depth > max_section_depth) {
                    return fmt::format("byte {}: sections are nested more than {} deep", tag + 1, max_section_depth);
                }
                break;
            case '/':
                --depth;
                break;
            default:
                break;
        }
    }
    return std::nullopt;
}

Data data_of(const json& value, int depth) {
    if (depth > max_data_depth) throw TemplateError{fmt::format("data nested more than {} deep", max_data_depth)};
    if (value.is_object()) {
        Data made{Data::type::object};
        for (const auto& [key, inner] : value.items())
            made.set(key, data_of(inner, depth + 1));
        return made;
    }
    if (value.is_array()) {
        Data made{Data::type::list};
        for (const auto& inner : value)
            made.push_back(data_of(inner, depth + 1));
        return made;
    }
    if (value.is_string()) return Data{value.get<std::string>()};
    if (value.is_boolean()) return Data{value.get<bool>() ? Data::type::bool_true : Data::type::bool_false};
    return value.is_null() ? Data{Data::type::bool_false} : Data{value.dump()};
}

}  // namespace

std::optional<std::string> template_problem(const std::string& source) {
    if (source.size() > max_template) return fmt::format("{} bytes; at most {}", source.size(), max_template);
    if (auto problem = tag_problem(source)) return problem;
    const Template parsed{source};
    if (!parsed.is_valid()) return parsed.error_message();  // which says where
    return std::nullopt;
}

std::string render(const std::string& source, const std::string& data, Escaping escaping) {
    if (auto problem = template_problem(source)) throw TemplateError{*problem};
    const auto values = json::parse(data, nullptr, false);
    if (!values.is_object()) throw TemplateError{"the data is no JSON object"};
    Template parsed{source};
    if (escaping == Escaping::none) parsed.set_custom_escape([](const std::string& text) { return text; });
    std::string rendered;
    parsed.render(data_of(values, 0), [&rendered](const std::string& part) {
        if (rendered.size() + part.size() > max_rendered) {
            throw TemplateError{fmt::format("it makes more than {} bytes of this data", max_rendered)};
        }
        rendered += part;
    });
    return rendered;
}

}  // namespace millrace::adapters
