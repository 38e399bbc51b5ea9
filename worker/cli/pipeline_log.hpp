#pragma once
// `millrace pipeline log`: what the command of a build has written, and what it goes on to write.

#include "cli/command.hpp"

namespace millrace::cli {

inline constexpr Flag log_queue_flag{"queue", "NAME", "log: the pipeline queue, when several have such a build"};
inline constexpr Flag log_follow_flag{"follow", "", "log: goes on until the build has ended; -f is the same"};

// The first word is "log".
[[nodiscard]] Exit pipeline_log(const Invocation& invocation);

}  // namespace millrace::cli
