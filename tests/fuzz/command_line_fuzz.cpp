// The words behind `millrace`, one a line, as a shell or a script passes them.
//
// Property: whatever they are, they are understood or refused in one harmless line; --flag value and --flag=value mean
// the same, and words that are no flags are kept in their order; numbers and durations are within their limits.

#include "cli/arguments.hpp"
#include "fuzz/input.hpp"
#include "fuzz/settings_reader.hpp"

#include <algorithm>
#include <array>

namespace millrace::fuzz {
namespace {

constexpr std::array flags{cli::Flag{"queue", "NAME", ""},   cli::Flag{"state", "STATE", ""},
                           cli::Flag{"limit", "NUMBER", ""}, cli::Flag{"delay", "DURATION", ""},
                           cli::Flag{"dry-run", "", ""},     cli::Flag{"json", "", ""}};

// The same arguments, each flag with its value in one word, before all else.
std::vector<std::string> rewritten(const cli::Arguments& arguments) {
    std::vector<std::string> words;
    for (const auto& flag : flags) {
        if (!arguments.has(flag.name)) continue;
        auto word = "--" + std::string{flag.name};
        words.push_back(flag.value.empty() ? word : word + "=" + arguments.value(flag.name).value_or(""));
    }
    words.emplace_back("--");
    words.insert(words.end(), arguments.words().begin(), arguments.words().end());
    return words;
}

void require_same(const cli::Arguments& one, const cli::Arguments& other) {
    require(one.words() == other.words(), "words are kept in their order");
    for (const auto& flag : flags) {
        require(one.has(flag.name) == other.has(flag.name) && one.value(flag.name) == other.value(flag.name),
                "a flag means the same in either form", flag.name);
    }
}

void read_arguments(const Options& options) {
    try {
        const cli::Arguments arguments{options.arguments, flags, setting_flags(options.command)};
        require_same(arguments, cli::Arguments{rewritten(arguments), flags});
        for (const auto& word : arguments.words()) {
            require(std::find(options.arguments.begin(), options.arguments.end(), word) != options.arguments.end(),
                    "no word is made up", word);
        }
        const auto limit = arguments.number("limit", 1, 1000);
        require(!limit || (*limit >= 1 && *limit <= 1000), "a number is within its limits");
        const auto delay = arguments.duration("delay");
        require(!delay || delay->count() >= 0, "a duration is not negative");
        if (const auto state = arguments.value("state")) cli::require_known("state", *state, {"running", "available"});
    } catch (const cli::UsageError& error) {
        require_fit_complaint(error.what());
    }
}

}  // namespace

void try_input(std::string_view bytes) {
    if (!names_no_device(bytes)) return;
    std::vector<std::string> words;
    for (const auto word : split(bytes, '\n'))
        words.emplace_back(word.substr(0, word.find('\0')));  // as the kernel would pass it
    const auto reading = read_settings(words);
    if (const auto* refused = std::get_if<Refused>(&reading)) {
        require_fit_complaint(refused->text);
        return;
    }
    const auto& options = std::get<Options>(reading);
    require_sound(options);
    if (!options.command.empty()) read_arguments(options);
}

}  // namespace millrace::fuzz
