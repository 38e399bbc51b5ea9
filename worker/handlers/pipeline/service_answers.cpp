#include "handlers/pipeline/service_answers.hpp"

#include "core/printable.hpp"
#include "handlers/pipeline/build_runner.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace millrace::handlers::pipeline {
namespace {

using nlohmann::json;

constexpr std::size_t max_field = 1000;  // bytes
constexpr int max_names = 10;

}  // namespace

std::string text_in(const json& object, const char* key) {
    if (!object.is_object()) return "";
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? core::printable(found->get<std::string>(), max_field) : "";
}

std::optional<std::int64_t> number_in(const json& object, const char* key) {
    if (!object.is_object()) return std::nullopt;
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
}

json list_in(const json& object, const char* key) {
    if (!object.is_object()) return json::array();
    const auto found = object.find(key);
    return found != object.end() && found->is_array() ? *found : json::array();
}

std::string number_of(const std::string& id, std::string_view prefix) {
    constexpr std::size_t max_digits = 19;
    const auto digits = id.substr(id.starts_with(prefix) ? prefix.size() : id.size());
    if (digits.empty() || digits.size() > max_digits || digits.find_first_not_of("0123456789") != digits.npos) {
        throw BuildRunnerError{BuildRunnerError::Kind::lasting,
                               fmt::format("the build {} is of another runner", core::printable(id, max_field))};
    }
    return digits;
}

std::string failed_names(const json& targets) {
    std::string names;
    int count = 0;
    for (const auto& target : targets) {
        if (text_in(target, "status") != "failed" || ++count > max_names) continue;
        names += (names.empty() ? ", failed: " : ", ") + text_in(target, "name");
    }
    return count > max_names ? fmt::format("{} and {} more", names, count - max_names) : names;
}

}  // namespace millrace::handlers::pipeline
