#pragma once
// `millrace notify`: which events there are, how their mails read, what became of them, whom none reach any more, and
// whether mail goes out at all.

#include "cli/command.hpp"

namespace millrace::cli {

[[nodiscard]] Command notify_command();

}  // namespace millrace::cli
