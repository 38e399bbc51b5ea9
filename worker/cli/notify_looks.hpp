#pragma once
// `millrace notify types`, `emails`, `suppressed` and `preview`: they look, and change nothing.

#include "cli/command.hpp"

namespace millrace::cli {

inline constexpr Flag notify_user_flag{"user", "NAME", "of emails: to this user"};
inline constexpr Flag notify_type_flag{"type", "TYPE", "of emails: of this event type"};
inline constexpr Flag notify_status_flag{"status", "STATUS", "of emails: pending, sent, failed, …"};
inline constexpr Flag notify_limit_flag{"limit", "N", "of emails and suppressed: the newest N (100)"};
inline constexpr Flag notify_locale_flag{"locale", "LOCALE", "of preview: as in de or de-AT (en)"};
inline constexpr Flag notify_data_flag{"data", "JSON", "of preview: what emit would be given as data"};

// Throw UsageError.
[[nodiscard]] Exit list_types(const Invocation& invocation);
[[nodiscard]] Exit list_emails(const Invocation& invocation);
[[nodiscard]] Exit list_suppressed(const Invocation& invocation);
[[nodiscard]] Exit preview(const Invocation& invocation);

}  // namespace millrace::cli
