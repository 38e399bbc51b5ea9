#pragma once
// What `--help` and `millrace help` print, all of it from the commands' own words and the list of settings.

#include "cli/command.hpp"

#include <iosfwd>
#include <span>

namespace millrace::cli {

void print_overview(std::ostream& out, const Screen& screen, std::span<const Command> commands);
void print_command(std::ostream& out, const Screen& screen, const Command& command);
void print_settings(std::ostream& out, const Screen& screen);
void print_version(std::ostream& out);

}  // namespace millrace::cli
