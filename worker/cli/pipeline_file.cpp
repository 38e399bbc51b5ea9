#include "cli/pipeline_file.hpp"

#include "core/printable.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> numbers{"max_concurrent", "flaky_reruns", "bisect_budget"};
constexpr std::size_t max_shown = 100;  // bytes
constexpr int max_depth = 6;
constexpr std::size_t max_digits = 6;

int line_of_mark(const YAML::Mark& mark) {
    return mark.line + 1;
}

[[noreturn]] void refuse(const YAML::Node& node, const std::string& reason) {
    throw BadPipelineFile{fmt::format("{}: {}", line_of_mark(node.Mark()), reason)};
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

// The pairs of a map, each key once. yaml-cpp keeps a key that is there twice.
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

Json value_of(const YAML::Node& node, const std::string& key, int depth) {
    if (depth > max_depth) refuse(node, fmt::format("{}: is nested too deeply", key));
    if (node.IsNull()) return nullptr;
    if (node.IsSequence()) {
        auto list = Json::array();
        for (const auto& item : node)
            list.push_back(value_of(item, key, depth + 1));
        return list;
    }
    if (node.IsMap()) {
        auto object = Json::object();
        for_each_pair(node, [&](const std::string& name, const YAML::Node&, const YAML::Node& value) {
            object[name] = value_of(value, name, depth + 1);
        });
        return object;
    }
    auto text = text_of(node, key);
    if (std::find(numbers.begin(), numbers.end(), key) == numbers.end()) return text;
    const bool is_number = !text.empty() && text.size() <= max_digits &&
                           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number) refuse(node, fmt::format("{}: a whole number is expected", key));
    return std::stoi(text);
}

Json parsed(const std::string& text, std::map<std::string, int>& lines) {
    const auto root = YAML::Load(text);
    Json document{{"queues", Json::array()}};
    if (root.IsNull()) return document;
    if (!root.IsMap()) refuse(root, "write queues:, with a list below");
    for_each_pair(root, [&](const std::string& name, const YAML::Node& where, const YAML::Node& list) {
        if (name != "queues") refuse(where, fmt::format("{}: unknown key; known is queues", shown(name)));
        if (list.IsNull()) return;
        if (!list.IsSequence()) refuse(list, "queues: a list is expected, each entry behind a dash");
        for (const auto& entry : list) {
            const auto path = fmt::format("queues[{}]", document["queues"].size());
            if (!entry.IsMap()) refuse(entry, "queues: an entry has lines of the form key: value");
            lines[path] = line_of_mark(entry.Mark());
            auto object = Json::object();
            for_each_pair(entry, [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
                lines[fmt::format("{}.{}", path, key)] = line_of_mark(at.Mark());
                object[key] = value_of(value, key, 1);
            });
            document["queues"].push_back(std::move(object));
        }
    });
    return document;
}

}  // namespace

PipelineFile::PipelineFile(const std::string& text) {
    try {
        document_ = parsed(text, lines_).dump();
    } catch (const YAML::Exception& error) {
        const auto reason = core::printable(error.msg, max_shown);
        throw BadPipelineFile{error.mark.is_null() ? fmt::format("not YAML: {}", reason)
                                                   : fmt::format("{}: not YAML: {}", line_of_mark(error.mark), reason)};
    }
}

int PipelineFile::line_of(const std::string& path) const {
    const auto key = lines_.find(path);
    if (key != lines_.end()) return key->second;
    const auto entry = lines_.find(path.substr(0, path.find('.')));
    return entry == lines_.end() ? 0 : entry->second;
}

// Each value is written as JSON, which is YAML, too: whatever it holds, it is read back as it was.
std::string write_pipeline_file(std::string_view document) {
    const auto parsed = Json::parse(document);
    std::string text;
    for (const auto& entry : parsed.at("queues")) {
        if (text.empty()) text = "queues:\n";
        text += fmt::format("  - name: {}\n", entry.at("name").dump());
        for (const auto& [key, value] : entry.items()) {
            if (key != "name") text += fmt::format("    {}: {}\n", key, value.dump());
        }
    }
    return text;
}

}  // namespace millrace::cli
