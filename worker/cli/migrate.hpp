#pragma once
// `millrace migrate`: the schema's state, and its way to the one this program was built for.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command migrate_command();

}  // namespace millrace::cli
