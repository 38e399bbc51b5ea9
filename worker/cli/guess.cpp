#include "cli/guess.hpp"

#include "core/nearest.hpp"
#include "storage/known_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace millrace::cli {

namespace {

using storage::Named;

// How the server's functions say it, with the name quoted behind it; the longer ones first.
constexpr std::array complaints{
    std::pair{std::string_view{"unknown pipeline queue '"}, Named::pipeline_queue},
    std::pair{std::string_view{"unknown queue '"}, Named::queue},
    std::pair{std::string_view{"unknown fork '"}, Named::fork},
    std::pair{std::string_view{"unknown digest group '"}, Named::group},
    std::pair{std::string_view{"unknown schedule '"}, Named::schedule},
};

// Nothing when the name is known, or none is near.
std::optional<std::string> near_name(const Options& options, Named what, const std::string& name) {
    const bool is_one_of_several =
        options.command == "worker" && !options.databases.empty() && options.database_name.empty();
    if (is_one_of_several) return std::nullopt;  // which of them it was is not known here
    try {
        const storage::SessionFactory sessions{options.database_url};
        const auto session = sessions.open("guess");
        const auto names = storage::known_names(*session, what);
        if (std::find(names.begin(), names.end(), name) != names.end()) return std::nullopt;
        return core::nearest(name, names);
    } catch (const storage::Error&) {
        return std::nullopt;  // this role may not look
    } catch (const storage::ConnectionLost&) {
        return std::nullopt;
    }
}

}  // namespace

std::string guess_for(const storage::Error& error, const Options& options) {
    const std::string text{error.what()};
    for (const auto& [complaint, what] : complaints) {
        const auto found = text.find(complaint);
        if (found == std::string::npos) continue;
        const auto from = found + complaint.size();
        const auto meant = near_name(options, what, text.substr(from, text.find('\'', from) - from));
        return meant ? fmt::format("Did you mean \"{}\"?", *meant) : "";
    }
    return {};
}

std::string guess_for_filter(const Invocation& invocation) {
    constexpr std::array flags{std::pair{"queue", Named::queue}, std::pair{"kind", Named::kind}};
    std::string lines;
    for (const auto& [flag, what] : flags) {
        const auto value = invocation.arguments.value(flag);
        const auto meant = value ? near_name(invocation.options, what, *value) : std::nullopt;
        if (meant) lines += fmt::format("did you mean --{} {}?\n", flag, harmless(*meant));
    }
    return lines;
}

}  // namespace millrace::cli
