#pragma once
// `millrace serve`, over HTTP: users' notification settings and the unsubscribe page (ops/notify_api.hpp), and the
// dashboard (ops/dashboard.hpp).

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command serve_command();

}  // namespace millrace::cli
