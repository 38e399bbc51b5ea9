#pragma once
// A YAML file of named lists of entries, as people keep it, read into the document that a SQL function takes:
//
//     forks:
//       - repo: acme/widget
//         branches: [16.0, 17.0]
//
// What a key may hold is the server's business, but for its shape, which the format knows. Whatever is wrong is
// reported with the line on which it stands.

#include <yaml-cpp/yaml.h>
#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace millrace::cli {

// "LINE: what is wrong", or without a line.
class BadEntriesFile : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// A list of the file, and the key of an entry that is written first.
struct EntryList {
    std::string_view name;
    std::string_view label;
};

struct EntriesFormat {
    std::span<const EntryList> lists;
    std::string_view expected;  // what a file without lists is told to write
    bool names_all;             // the document has every list, also those that the file lacks
    nlohmann::ordered_json (*value_of)(const YAML::Node& node, const std::string& key);
};

class EntriesFile {
public:
    // Throws BadEntriesFile.
    EntriesFile(const EntriesFormat& format, const std::string& text);

    [[nodiscard]] const std::string& document() const noexcept { return document_; }  // JSON

    // Where `forks[3].branches` stands, counted from 1; where `forks[3]` does when it has no such key; 0 when unknown.
    [[nodiscard]] int line_of(const std::string& path) const;

    // What `function` says of a place, as "bad forks[3].branches", with the line of `file` on which that stands.
    // Nothing: it said something else.
    [[nodiscard]] std::optional<std::string> located(const std::string& file, std::string_view function,
                                                     std::string_view what) const;

private:
    std::string document_;
    std::map<std::string, int> lines_;
};

// A document as such a file.
[[nodiscard]] std::string write_entries(const EntriesFormat& format, std::string_view document);

// For formats, to read a value. They throw BadEntriesFile with the line of the node.
[[noreturn]] void refuse(const YAML::Node& node, const std::string& reason);
[[nodiscard]] std::string text_of(const YAML::Node& node, const std::string& key);
// The pairs of a map as an object, each key once, each value as `value_of` has it.
[[nodiscard]] nlohmann::ordered_json object_of(
    const YAML::Node& map,
    const std::function<nlohmann::ordered_json(const YAML::Node& value, const std::string& key)>& value_of);

}  // namespace millrace::cli
