#pragma once
// `millrace enqueue`: one job, or many from JSON Lines on standard input.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command enqueue_command();

}  // namespace millrace::cli
