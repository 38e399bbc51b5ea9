#pragma once
// What a command is given beyond flags: one of its verbs, and a file.

#include "cli/command.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

struct Verb {
    std::string_view name;
    std::size_t least;  // words behind it
    std::size_t most;
    std::string_view needs;  // what is said when there are fewer or more
};

// The one that the first word names; the first of them without words. Throws UsageError.
const Verb& verb_of(std::string_view command, const std::vector<std::string>& words, std::span<const Verb> verbs);

// All of a file, or of standard input for "-". Throws UsageError when it cannot be read or has more than `most` MiB.
std::string read_file(const Invocation& invocation, const std::string& file, std::size_t most);

}  // namespace millrace::cli
