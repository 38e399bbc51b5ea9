#pragma once
// `millrace worker`: pulls jobs until it is told to stop.
//
// The first SIGTERM or SIGINT drains: no new claims, running jobs may end within the drain timeout, the rest goes back
// without an attempt counted, exit status 0. The second ends the process at once, and the lease gives its jobs back.
// SIGHUP reads the settings again, see reload.hpp.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command worker_command();

}  // namespace millrace::cli
