#pragma once
// `millrace notify suppress`, `unsuppress` and `erase`: what people decide about addresses and users.

#include "cli/command.hpp"

namespace millrace::cli {

inline constexpr Flag notify_reason_flag{"reason", "TEXT", "of suppress: for those who ask later (by an operator)"};
inline constexpr Flag notify_yes_flag{"yes", "", "of erase: do it"};

// Throw UsageError.
[[nodiscard]] Exit suppress(const Invocation& invocation);
[[nodiscard]] Exit unsuppress(const Invocation& invocation);
[[nodiscard]] Exit erase_user(const Invocation& invocation);

}  // namespace millrace::cli
