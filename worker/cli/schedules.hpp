#pragma once
// `millrace schedules`: which jobs come by the clock, when and whether they came; and what a person does to them.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command schedules_command();

}  // namespace millrace::cli
