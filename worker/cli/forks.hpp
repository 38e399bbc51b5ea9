#pragma once
// `millrace forks`: which forks are kept up to date, their runs and what they found.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command forks_command();

}  // namespace millrace::cli
