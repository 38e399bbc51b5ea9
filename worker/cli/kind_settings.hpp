#pragma once
// `millrace kinds`: what is set for each kind of jobs; sets it, pauses and resumes kinds.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command kinds_command();

}  // namespace millrace::cli
