#pragma once
// Internationalised domains as the DNS and mail servers know them (IDNA 2008, RFC 5891; case and width are folded as
// UTS 46 says). Pure functions.

#include <optional>
#include <string>
#include <string_view>

namespace millrace::adapters {

[[nodiscard]] bool is_ascii(std::string_view text);

// The xn-- form of a UTF-8 domain; nothing when no domain may be written so. ASCII that belongs in no domain may come
// through: whoever uses the result checks it.
[[nodiscard]] std::optional<std::string> ascii_domain(std::string_view domain);

}  // namespace millrace::adapters
