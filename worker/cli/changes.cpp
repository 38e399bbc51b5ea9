#include "cli/changes.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ostream>

namespace millrace::cli {

std::string changes_of(std::span<const std::string> words) {
    nlohmann::json changes = nlohmann::json::object();
    for (const auto& word : words) {
        const auto equals = word.find('=');
        if (equals == 0 || equals == std::string::npos) {
            throw UsageError{fmt::format("\"{}\" is no SETTING=VALUE, for example max_running=10", word)};
        }
        const auto value = word.substr(equals + 1);
        const bool is_number = !value.empty() && value.size() < 10 &&
                               std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
        const auto setting = word.substr(0, equals);
        auto& change = changes[setting];
        if (is_number) {
            change = std::stoi(value);
        } else if (value != "none" || setting == "history") {  // which has a value of that name
            change = value;
        }
    }
    return changes.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Exit show_changes(const Invocation& invocation, const std::string& changed) {
    auto& out = invocation.console.out;
    if (invocation.arguments.has("json")) {
        out << changed << '\n';
        return Exit::done;
    }
    const auto changes = nlohmann::json::parse(changed);
    for (const auto& [setting, change] : changes.items()) {
        out << fmt::format("{}: {} was {}\n", setting, change["to"].dump(), change["from"].dump());
    }
    if (changes.empty()) out << "nothing to change\n";
    return Exit::done;
}

}  // namespace millrace::cli
