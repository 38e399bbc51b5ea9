#pragma once
// Durations as PostgreSQL reads them.

#include <chrono>
#include <string>

namespace millrace::storage {

[[nodiscard]] inline std::string interval_text(std::chrono::milliseconds duration) {
    return std::to_string(duration.count()) + " milliseconds";
}

}  // namespace millrace::storage
