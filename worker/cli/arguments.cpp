#include "cli/arguments.hpp"

#include "core/duration.hpp"
#include "core/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace millrace::cli {

namespace {

[[noreturn]] void refuse_flag(const std::string& name, std::span<const Flag> flags,
                              const std::vector<std::string>& settings) {
    auto known = settings;
    for (const auto& flag : flags)
        known.emplace_back(flag.name);
    const auto meant = core::nearest(name, known);
    throw UsageError{meant ? fmt::format("unknown flag --{}; did you mean --{}?", name, *meant)
                           : fmt::format("unknown flag --{}", name)};
}

}  // namespace

Arguments::Arguments(std::span<const std::string> words, std::span<const Flag> flags,
                     const std::vector<std::string>& settings) {
    bool only_words = false;
    for (std::size_t next = 0; next < words.size(); ++next) {
        const auto& word = words[next];
        if (only_words || !word.starts_with("--")) {
            words_.push_back(word);
            continue;
        }
        if (word == "--") {
            only_words = true;
            continue;
        }
        const auto equals = word.find('=');
        const bool has_value = equals != std::string::npos;
        const auto name = word.substr(2, has_value ? equals - 2 : std::string::npos);
        const auto flag =
            std::find_if(flags.begin(), flags.end(), [&](const Flag& known) { return known.name == name; });
        if (flag == flags.end()) refuse_flag(name, flags, settings);
        if (values_.contains(name)) throw UsageError{fmt::format("--{} is given twice", name)};
        if (flag->value.empty()) {
            if (has_value) throw UsageError{fmt::format("--{} takes no value", name)};
            values_[name] = "";
        } else if (has_value) {
            values_[name] = word.substr(equals + 1);
        } else {
            if (next + 1 == words.size()) throw UsageError{fmt::format("--{} needs a value: {}", name, flag->value)};
            values_[name] = words[++next];
        }
    }
}

std::optional<std::string> Arguments::value(std::string_view flag) const {
    const auto found = values_.find(flag);
    return found == values_.end() ? std::nullopt : std::optional{found->second};
}

void Arguments::allow_only(std::string_view whose, std::span<const std::string> flags) const {
    for (const auto& [flag, value] : values_) {
        if (std::find(flags.begin(), flags.end(), flag) != flags.end()) continue;
        throw UsageError{fmt::format("{} does nothing with --{}; leave it out", whose, flag)};
    }
}

std::optional<int> Arguments::number(std::string_view flag, int least, int most) const {
    const auto text = value(flag);
    if (!text) return std::nullopt;
    int number = 0;
    const char* const end = text->data() + text->size();
    const auto [rest, failure] = std::from_chars(text->data(), end, number);
    if (failure != std::errc{} || rest != end || number < least || number > most) {
        throw UsageError{fmt::format("--{} {}: write a whole number from {} to {}", flag, *text, least, most)};
    }
    return number;
}

std::optional<std::chrono::milliseconds> Arguments::duration(std::string_view flag) const {
    const auto text = value(flag);
    if (!text) return std::nullopt;
    const auto duration = core::parse_duration(*text);
    if (!duration) throw UsageError{fmt::format("--{} {}: write {}", flag, *text, core::duration_examples)};
    return duration;
}

void require_known(std::string_view what, const std::string& word, const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), word) != known.end()) return;
    const auto meant = core::nearest(word, known);
    throw UsageError{meant ? fmt::format("unknown {} \"{}\"; did you mean \"{}\"?", what, word, *meant)
                           : fmt::format("unknown {} \"{}\"; there are: {}", what, word, fmt::join(known, ", "))};
}

}  // namespace millrace::cli
