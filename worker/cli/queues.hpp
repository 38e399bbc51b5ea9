#pragma once
// `millrace queues`: what waits, runs and has failed in each queue; and new queues.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command queues_command();

}  // namespace millrace::cli
