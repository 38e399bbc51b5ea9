#pragma once
// What help says as a manual page, in the macros of man(7): `millrace help man > millrace.1`.

#include "cli/command.hpp"

#include <iosfwd>
#include <span>

namespace millrace::cli {

void print_manual(std::ostream& out, std::span<const Command> commands);

}  // namespace millrace::cli
