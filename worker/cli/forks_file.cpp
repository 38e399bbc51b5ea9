#include "cli/forks_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array lists{EntryList{"groups", "name"}, EntryList{"forks", "repo"}};
constexpr std::array list_keys{"branches", "rebase_globs", "recipients", "managed"};
constexpr std::array switch_keys{"enabled", "install_forward_port"};

template <class Words>
bool is_among(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// The server knows the other keys, and says so of one that it does not know.
Json value_of_fork(const YAML::Node& node, const std::string& key) {
    if (node.IsNull()) return nullptr;
    if (is_among(switch_keys, key)) {
        const auto text = text_of(node, key);
        if (text != "true" && text != "false") refuse(node, fmt::format("{}: write true or false", key));
        return text == "true";
    }
    if (!is_among(list_keys, key) && !node.IsSequence()) return text_of(node, key);
    if (!node.IsSequence()) refuse(node, fmt::format("{}: a list is expected, such as [a, b]", key));
    auto list = Json::array();
    for (const auto& item : node)
        list.push_back(text_of(item, key));
    return list;
}

}  // namespace

constinit const EntriesFormat forks_format{.lists = lists,
                                           .expected = "write groups: and forks:, with a list below each",
                                           .names_all = false,
                                           .value_of = &value_of_fork};

}  // namespace millrace::cli
