#pragma once
// What the commands that list or change something end with.

#include "cli/command.hpp"
#include "cli/table.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace millrace::cli {

// The rows, for a person or, with --json, for a program. Without rows `nothing` goes to standard error, and the command
// ends with Exit::nothing.
Exit show_rows(const Invocation& invocation, const Table& table, std::string_view nothing);

// Changes one after the other; `change` returns what became of a name, and throws where it cannot be done. A person
// reads a line for each as it happens; with --json a program gets the rows at the end, up to the one that threw.
Exit change_each(const Invocation& invocation, std::span<const std::string> names,
                 const std::function<std::string(const std::string& name)>& change);

}  // namespace millrace::cli
