#pragma once
// `millrace schemas`: the JSON Schema of each kind's payloads; checks, registers and removes them.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command schemas_command();

}  // namespace millrace::cli
