#pragma once
// `millrace top`: queues, what runs, workers and alarms, live on a terminal; or as they are now, once.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command top_command();

}  // namespace millrace::cli
