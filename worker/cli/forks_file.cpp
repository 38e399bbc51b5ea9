#include "cli/forks_file.hpp"

#include "core/nearest.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

const std::vector<std::string> list_names{"groups", "forks"};

constexpr std::array list_keys{"branches", "rebase_globs", "recipients", "managed"};
constexpr std::array switch_keys{"enabled", "install_forward_port"};
constexpr std::size_t max_shown = 100;  // bytes

template <class Words>
bool is_among(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

int line_of_mark(const YAML::Mark& mark) {
    return mark.line + 1;
}

[[noreturn]] void refuse(const YAML::Node& node, const std::string& reason) {
    throw BadForksFile{fmt::format("{}: {}", line_of_mark(node.Mark()), reason)};
}

// Quoted as JSON: it may hold anything.
std::string shown(const std::string& text) {
    return Json(text.substr(0, max_shown)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string text_of(const YAML::Node& node, const std::string& key) {
    if (!node.IsScalar()) refuse(node, fmt::format("{}: a text is expected", key));
    const auto& text = node.Scalar();
    if (core::printable(text, text.size() + 1) != text) {
        refuse(node, fmt::format("{}: is not UTF-8, or holds a zero byte", key));
    }
    return text;
}

Json value_of(const YAML::Node& node, const std::string& key) {
    if (node.IsNull()) return nullptr;
    if (is_among(switch_keys, key)) {
        const auto text = text_of(node, key);
        if (text != "true" && text != "false") refuse(node, fmt::format("{}: write true or false", key));
        return text == "true";
    }
    // The server knows the other keys, and says so of one that it does not know.
    if (!is_among(list_keys, key) && !node.IsSequence()) return text_of(node, key);
    if (!node.IsSequence()) refuse(node, fmt::format("{}: a list is expected, such as [a, b]", key));
    auto list = Json::array();
    for (const auto& item : node)
        list.push_back(text_of(item, key));
    return list;
}

// The pairs of a map, each key once. yaml-cpp keeps a key that is there twice.
template <class Visit>
void for_each_pair(const YAML::Node& map, const Visit& visit) {
    std::set<std::string> seen;
    for (const auto& pair : map) {
        if (!pair.first.IsScalar()) refuse(pair.first, "a key is a word");
        const auto key = pair.first.Scalar();
        if (!seen.insert(key).second) refuse(pair.first, fmt::format("{}: is there twice", shown(key)));
        visit(key, pair.first, pair.second);
    }
}

Json parsed(const std::string& text, std::map<std::string, int>& lines) {
    const auto root = YAML::Load(text);
    auto document = Json::object();
    if (root.IsNull()) return document;
    if (!root.IsMap()) refuse(root, "write groups: and forks:, with a list below each");
    for_each_pair(root, [&](const std::string& name, const YAML::Node& where, const YAML::Node& list) {
        if (!is_among(list_names, name)) {
            const auto meant = core::nearest(name.substr(0, max_shown), list_names);
            refuse(where, fmt::format("{}: unknown key; {}", shown(name),
                                      meant ? fmt::format("did you mean {}?", *meant) : "known are groups and forks"));
        }
        document[name] = Json::array();
        if (list.IsNull()) return;
        if (!list.IsSequence()) refuse(list, fmt::format("{}: a list is expected, each entry behind a dash", name));
        for (const auto& entry : list) {
            const auto path = fmt::format("{}[{}]", name, document[name].size());
            if (!entry.IsMap()) refuse(entry, fmt::format("{}: an entry has lines of the form key: value", name));
            lines[path] = line_of_mark(entry.Mark());
            auto object = Json::object();
            for_each_pair(entry, [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
                lines[fmt::format("{}.{}", path, key)] = line_of_mark(at.Mark());
                object[text_of(at, "key")] = value_of(value, key);
            });
            document[name].push_back(std::move(object));
        }
    });
    return document;
}

}  // namespace

ForksFile::ForksFile(const std::string& text) {
    try {
        document_ = parsed(text, lines_).dump();
    } catch (const YAML::Exception& error) {
        const auto reason = core::printable(error.msg, max_shown);
        throw BadForksFile{error.mark.is_null() ? fmt::format("not YAML: {}", reason)
                                                : fmt::format("{}: not YAML: {}", line_of_mark(error.mark), reason)};
    }
}

int ForksFile::line_of(const std::string& path) const {
    const auto key = lines_.find(path);
    if (key != lines_.end()) return key->second;
    const auto entry = lines_.find(path.substr(0, path.find('.')));
    return entry == lines_.end() ? 0 : entry->second;
}

// Each value is written as JSON, which is YAML, too: whatever it holds, it is read back as it was.
std::string write_forks_file(std::string_view document) {
    const auto parsed = Json::parse(document);
    std::string text;
    for (const auto& name : list_names) {
        const auto list = parsed.find(name);
        if (list == parsed.end() || list->empty()) continue;
        const auto* const label = name == "groups" ? "name" : "repo";
        text += fmt::format("{}:\n", name);
        for (const auto& entry : *list) {
            text += fmt::format("  - {}: {}\n", label, entry.at(label).dump());
            for (const auto& [key, value] : entry.items()) {
                if (key != label) text += fmt::format("    {}: {}\n", key, value.dump());
            }
        }
    }
    return text;
}

}  // namespace millrace::cli
