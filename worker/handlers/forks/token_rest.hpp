#pragma once
// For how long a job stays away whose token is at rest. Those that wait for the same moment come back spread over a
// tenth of the time.

#include "core/ids.hpp"

#include <chrono>

namespace millrace::handlers::forks {

[[nodiscard]] inline std::chrono::milliseconds with_jitter(std::chrono::seconds wait, core::JobId job) {
    const std::chrono::milliseconds whole{wait};
    return whole + whole * (job.value % 100) / 1000;
}

}  // namespace millrace::handlers::forks
