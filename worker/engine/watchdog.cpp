#include "engine/watchdog.hpp"

#include <algorithm>

namespace millrace::engine {

void Watchdog::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const auto now = Clock::now();
        next_ = now + longest_sleep;  // first, so that a deadline expected during the scan is compared with it
        auto next_deadline = Clock::time_point::max();
        stats_.timed_out += attempts_.stop_overdue(now, next_deadline);
        const auto next_expiry = heartbeat_.expire(now);

        std::unique_lock lock{mutex_};
        const auto planned = std::min({next_.load(), next_deadline, next_expiry});
        next_ = planned;
        earlier_.wait_until(lock, stop, planned, [&] { return next_.load() < planned; });
    }
}

void Watchdog::expect(Clock::time_point deadline) {
    if (deadline >= next_.load()) return;
    const std::lock_guard lock{mutex_};
    if (deadline >= next_.load()) return;
    next_ = deadline;
    earlier_.notify_one();
}

}  // namespace millrace::engine
