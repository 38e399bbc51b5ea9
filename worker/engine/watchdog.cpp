#include "engine/watchdog.hpp"

#include "engine/pause.hpp"

namespace millrace::engine {

void Watchdog::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const auto now = Clock::now();
        stats_.timed_out += attempts_.stop_overdue(now);
        heartbeat_.expire(now);
        pause(stop, interval);
    }
}

}  // namespace millrace::engine
