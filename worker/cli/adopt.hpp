#pragma once
// `millrace adopt`: declares a restored or cloned database to be the one that works.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command adopt_command();

}  // namespace millrace::cli
