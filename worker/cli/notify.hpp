#pragma once
// `millrace notify`: which events there are, how their mails read, and what became of them.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command notify_command();

}  // namespace millrace::cli
