#pragma once
// What GitHub's interface says where it does not give what was asked for: a message, and how long it wants to be left
// alone. For whoever asks it, of forks or of builds.
//
//     429                                         → limited
//     403 with Retry-After, with no request left
//         (X-RateLimit-Remaining), or with words
//         of a "rate limit"                       → limited
//     anything else                               → not: a 403 for lack of a permission lasts
//
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
//
// Thread rule: any thread.

#include "adapters/http.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::adapters {

// Empty when it bears none.
[[nodiscard]] std::string github_message(const HttpAnswer& answer);

// In small or capital letters; the words are in small ones.
[[nodiscard]] bool says(const std::string& message, std::string_view words);

// How long GitHub wants to be left alone: Retry-After, else until X-RateLimit-Reset, else a minute; a second at least
// and `longest` at most. Nothing when that is not what it says.
[[nodiscard]] std::optional<std::chrono::seconds> github_limit(const HttpAnswer& answer, std::chrono::seconds longest);

}  // namespace millrace::adapters
