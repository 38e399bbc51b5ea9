#pragma once
// Text from outside (an exception, a server's reply) made fit for the database and the log: valid UTF-8 without NUL,
// cut at a limit. What is invalid becomes '?'.

#include <cstddef>
#include <string>
#include <string_view>

namespace millrace::core {

// At most `limit` bytes; a cut text ends with "…". Never cuts a character in two.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit);

}  // namespace millrace::core
