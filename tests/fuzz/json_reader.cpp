#include "fuzz/json_reader.hpp"

#include <nlohmann/json.hpp>

namespace millrace::fuzz {
namespace {

using nlohmann::json;

std::optional<json> member(const json& object, const std::string& key) {
    if (!object.is_object() || !object.contains(key)) return std::nullopt;
    return object.at(key);
}

std::optional<std::string> string_in(const json& object, const std::string& key) {
    const auto found = member(object, key);
    if (!found || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
}

}  // namespace

bool is_json(std::string_view text) {
    return json::accept(text);
}

std::optional<std::string> json_member(std::string_view text, const std::string& key) {
    const auto found = member(json::parse(text, nullptr, false), key);
    return found ? std::optional{found->dump()} : std::nullopt;
}

std::optional<std::string> json_string(std::string_view text, const std::string& key) {
    return string_in(json::parse(text, nullptr, false), key);
}

std::optional<std::string> json_string_at(std::string_view array, std::size_t index, const std::string& key) {
    const auto parsed = json::parse(array, nullptr, false);
    return parsed.is_array() && index < parsed.size() ? string_in(parsed.at(index), key) : std::nullopt;
}

}  // namespace millrace::fuzz
