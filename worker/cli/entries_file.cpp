#include "cli/entries_file.hpp"

#include "core/nearest.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <vector>

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_shown = 100;  // bytes

int line_of_mark(const YAML::Mark& mark) {
    return mark.line + 1;
}

// Quoted as JSON: it may hold anything.
std::string shown(const std::string& text) {
    return Json(text.substr(0, max_shown)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

// yaml-cpp keeps a key that is there twice.
template <class Visit>
void for_each_pair(const YAML::Node& map, const Visit& visit) {
    std::set<std::string> seen;
    for (const auto& pair : map) {
        if (!pair.first.IsScalar()) refuse(pair.first, "a key is a word");
        const auto key = text_of(pair.first, "key");
        if (!seen.insert(key).second) refuse(pair.first, fmt::format("{}: is there twice", shown(key)));
        visit(key, pair.first, pair.second);
    }
}

std::vector<std::string> names_of(const EntriesFormat& format) {
    std::vector<std::string> names;
    names.reserve(format.lists.size());
    for (const auto& list : format.lists)
        names.emplace_back(list.name);
    return names;
}

void require_list(const EntriesFormat& format, const YAML::Node& where, const std::string& name) {
    const auto names = names_of(format);
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    const auto meant = core::nearest(name.substr(0, max_shown), names);
    const auto known = fmt::format("known {} {}", names.size() == 1 ? "is" : "are", fmt::join(names, " and "));
    refuse(where,
           fmt::format("{}: unknown key; {}", shown(name), meant ? fmt::format("did you mean {}?", *meant) : known));
}

Json parsed(const EntriesFormat& format, const std::string& text, std::map<std::string, int>& lines) {
    const auto root = YAML::Load(text);
    auto document = Json::object();
    for (const auto& list : format.lists) {
        if (format.names_all) document[std::string{list.name}] = Json::array();
    }
    if (root.IsNull()) return document;
    if (!root.IsMap()) refuse(root, std::string{format.expected});
    for_each_pair(root, [&](const std::string& name, const YAML::Node& where, const YAML::Node& list) {
        require_list(format, where, name);
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
                object[key] = format.value_of(value, key);
            });
            document[name].push_back(std::move(object));
        }
    });
    return document;
}

}  // namespace

void refuse(const YAML::Node& node, const std::string& reason) {
    throw BadEntriesFile{fmt::format("{}: {}", line_of_mark(node.Mark()), reason)};
}

std::string text_of(const YAML::Node& node, const std::string& key) {
    if (!node.IsScalar()) refuse(node, fmt::format("{}: a text is expected", key));
    const auto& text = node.Scalar();
    if (core::printable(text, text.size() + 1) != text) {
        refuse(node, fmt::format("{}: is not UTF-8, or holds a zero byte", key));
    }
    return text;
}

Json object_of(const YAML::Node& map, const std::function<Json(const YAML::Node&, const std::string&)>& value_of) {
    auto object = Json::object();
    for_each_pair(map, [&](const std::string& key, const YAML::Node&, const YAML::Node& value) {
        object[key] = value_of(value, key);
    });
    return object;
}

EntriesFile::EntriesFile(const EntriesFormat& format, const std::string& text) {
    try {
        document_ = parsed(format, text, lines_).dump();
    } catch (const YAML::Exception& error) {
        const auto reason = core::printable(error.msg, max_shown);
        throw BadEntriesFile{error.mark.is_null() ? fmt::format("not YAML: {}", reason)
                                                  : fmt::format("{}: not YAML: {}", line_of_mark(error.mark), reason)};
    }
}

int EntriesFile::line_of(const std::string& path) const {
    const auto key = lines_.find(path);
    if (key != lines_.end()) return key->second;
    const auto entry = lines_.find(path.substr(0, path.find('.')));
    return entry == lines_.end() ? 0 : entry->second;
}

std::optional<std::string> EntriesFile::located(const std::string& file, std::string_view function,
                                                std::string_view what) const {
    const auto prefix = fmt::format("{}: bad ", function);
    if (!what.starts_with(prefix)) return std::nullopt;
    const std::string path{what.substr(prefix.size())};
    const auto line = line_of(path);
    if (line == 0) return std::nullopt;
    const auto dot = path.find('.');
    return fmt::format("{}:{}: bad {}", file, line, dot == std::string::npos ? "entry" : path.substr(dot + 1));
}

// Each value is written as JSON, which is YAML, too: whatever it holds, it is read back as it was.
std::string write_entries(const EntriesFormat& format, std::string_view document) {
    const auto parsed = Json::parse(document);
    std::string text;
    for (const auto& [name, label] : format.lists) {
        const auto list = parsed.find(std::string{name});
        if (list == parsed.end() || list->empty()) continue;
        text += fmt::format("{}:\n", name);
        for (const auto& entry : *list) {
            text += fmt::format("  - {}: {}\n", label, entry.at(std::string{label}).dump());
            for (const auto& [key, value] : entry.items()) {
                if (key != label) text += fmt::format("    {}: {}\n", key, value.dump());
            }
        }
    }
    return text;
}

}  // namespace millrace::cli
