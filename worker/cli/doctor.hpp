#pragma once
// `millrace doctor`: what is wrong with the installation, and what to do about it.

#include "cli/command.hpp"

namespace millrace::cli {

// Ends with Exit::done when there is nothing, Exit::failed when there is, Exit::usage when it could not look.
[[nodiscard]] Command doctor_command();

}  // namespace millrace::cli
