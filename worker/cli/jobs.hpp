#pragma once
// `millrace jobs`: looks at jobs, and cancels, retries or replays them.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command jobs_command();

}  // namespace millrace::cli
