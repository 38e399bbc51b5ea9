#pragma once
// `millrace serve`: users' notification settings and the unsubscribe page, over HTTP (ops/notify_api.hpp).

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command serve_command();

}  // namespace millrace::cli
