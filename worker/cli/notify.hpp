#pragma once
// `millrace notify`: what surrounds notifications; today a test of the mail server.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command notify_command();

}  // namespace millrace::cli
