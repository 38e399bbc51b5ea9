#pragma once
// What the commands that list something end with.

#include "cli/command.hpp"
#include "cli/table.hpp"

#include <string_view>

namespace millrace::cli {

// The rows, for a person or, with --json, for a program. Without rows `nothing` goes to standard error, and the command
// ends with Exit::nothing.
Exit show_rows(const Invocation& invocation, const Table& table, std::string_view nothing);

}  // namespace millrace::cli
