#include "cli/input.hpp"

#include "cli/usage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <istream>
#include <vector>

namespace millrace::cli {

namespace {

constexpr std::size_t bytes_of_mib = std::size_t{1024} * 1024;

std::string read_all(std::istream& in, const std::string& name, std::size_t most) {
    std::string text(most * bytes_of_mib + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad()) throw UsageError{fmt::format("cannot read {}", name)};
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > most * bytes_of_mib) throw UsageError{fmt::format("{} is longer than {} MiB", name, most)};
    return text;
}

}  // namespace

const Verb& verb_of(std::string_view command, const Arguments& arguments, std::span<const Verb> verbs) {
    const auto& words = arguments.words();
    std::vector<std::string> names;
    names.reserve(verbs.size());
    for (const auto& verb : verbs)
        names.emplace_back(verb.name);
    const auto& name = words.empty() ? names.front() : words.front();
    require_known("verb", name, names);
    const auto& verb = *std::find_if(verbs.begin(), verbs.end(), [&](const Verb& each) { return each.name == name; });
    const auto behind = words.empty() ? 0 : words.size() - 1;
    const auto whose = fmt::format("{} {}", command, verb.name);
    if (behind < verb.least || behind > verb.most) throw UsageError{fmt::format("{} {}", whose, verb.needs)};
    arguments.allow_only(whose, split(verb.flags, " "));
    return verb;
}

std::string read_file(const Invocation& invocation, const std::string& file, std::size_t most) {
    if (file == "-") return read_all(invocation.console.in, "standard input", most);
    std::ifstream in{file, std::ios::binary};
    if (!in) throw UsageError{fmt::format("cannot read {}", file)};
    return read_all(in, file, most);
}

}  // namespace millrace::cli
