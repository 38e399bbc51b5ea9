#pragma once
// Durations as a person writes them: a whole number and a unit, such as 500ms, 30s, 5min, 1h, 7d. And as a person wants
// to read how old something is.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::core {

inline constexpr std::string_view duration_examples = "500ms, 30s, 5min, 1h or 7d";

// Nothing when it is not a duration, or one of more than 100,000 days.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// In the largest unit that divides it.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

// "850 ms", "12 s", "3 min", "5 h", "2 d".
[[nodiscard]] std::string rough_age(double seconds);

}  // namespace millrace::core
