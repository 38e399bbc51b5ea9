#pragma once
// `millrace notify send-test`: one mail through the configured server, told step by step. Needs no database.

#include "cli/command.hpp"

namespace millrace::cli {

inline constexpr Flag send_test_to_flag{"to", "ADDRESS", "of send-test: who receives it"};

// Done when the server has accepted the mail, failed when not. Throws UsageError without an address or a mail server.
[[nodiscard]] Exit send_test(const Invocation& invocation);

}  // namespace millrace::cli
