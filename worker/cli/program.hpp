#pragma once
// From a command line to an exit status: finds the command, gives help, and says what went wrong and what to do.

#include "cli/command.hpp"

#include <span>
#include <string>

namespace millrace::cli {

// `words` are the command line without the program's name. Catches everything that a command throws.
[[nodiscard]] Exit run_program(std::span<const std::string> words, const Environment& environment,
                               std::span<const Command> commands);

}  // namespace millrace::cli
