#include "cli/pipeline_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array queue_lists{EntryList{"queues", "name"}};
constexpr std::array<std::string_view, 6> numbers{"max_concurrent", "flaky_reruns", "bisect_budget",
                                                  "memory_limit",   "output_limit", "disk_limit"};
constexpr int max_depth = 6;
constexpr std::size_t max_digits = 15;

Json number_of(const YAML::Node& node, const std::string& key, const std::string& text) {
    const bool is_number = !text.empty() && text.size() <= max_digits &&
                           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number) refuse(node, fmt::format("{}: a whole number is expected", key));
    return std::stoll(text);
}

Json value_at(const YAML::Node& node, const std::string& key, int depth) {
    if (depth > max_depth) refuse(node, fmt::format("{}: is nested too deeply", key));
    if (node.IsNull()) return nullptr;
    if (node.IsSequence()) {
        auto list = Json::array();
        for (const auto& item : node)
            list.push_back(value_at(item, key, depth + 1));
        return list;
    }
    if (node.IsMap()) {
        return object_of(node, [depth](const YAML::Node& value, const std::string& name) {
            return value_at(value, name, depth + 1);
        });
    }
    const auto text = text_of(node, key);
    if (std::find(numbers.begin(), numbers.end(), key) == numbers.end()) return text;
    return number_of(node, key, text);
}

Json value_of_queue(const YAML::Node& node, const std::string& key) {
    return value_at(node, key, 1);
}

}  // namespace

constinit const EntriesFormat pipeline_format{.lists = queue_lists,
                                              .expected = "write queues:, with a list below",
                                              .names_all = true,
                                              .value_of = &value_of_queue};

}  // namespace millrace::cli
