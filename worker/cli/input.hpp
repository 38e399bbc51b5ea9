#pragma once
// What a command is given: one of its verbs, with the flags that are this verb's, and a file.

#include "cli/command.hpp"

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace millrace::cli {

constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

struct Verb {
    std::string_view name;
    std::size_t least;  // words behind it
    std::size_t most;
    std::string_view needs;  // what is said when there are fewer or more
    std::string_view flags;  // that it does something with, with blanks between them
};

// The one that the first word names; the first of them without words. Throws UsageError, also for a flag of another
// verb: who gives it believes in an effect.
const Verb& verb_of(std::string_view command, const Arguments& arguments, std::span<const Verb> verbs);

// All of a file, or of standard input for "-". Throws UsageError when it cannot be read or has more than `most` MiB.
std::string read_file(const Invocation& invocation, const std::string& file, std::size_t most);

}  // namespace millrace::cli
