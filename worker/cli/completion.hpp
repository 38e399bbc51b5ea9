#pragma once
// `millrace completion`: scripts with which bash and zsh complete this program's words, and the words themselves.
//
// The scripts know nothing of the commands: with each <TAB> they hand over what was typed, and get what may come next.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command completion_command();

}  // namespace millrace::cli
