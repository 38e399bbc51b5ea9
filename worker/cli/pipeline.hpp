#pragma once
// `millrace pipeline`: pipeline queues as a file, what is known of their commits, and a gate for deployments.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command pipeline_command();

}  // namespace millrace::cli
