#include "engine/watchdog.hpp"

#include "engine/pause.hpp"

namespace millrace::engine {

void Watchdog::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const auto now = Clock::now();
        stats_.timed_out += attempts_.stop_overdue(now);
        heartbeat_.expire(now);
        if (const auto hung_up = answers_.hang_up_unanswered(now); hung_up > 0) {
            log_.write(ops::Level::warning, "the database does not answer, hanging up", {{"connections", hung_up}});
        }
        pause(stop, interval);
    }
}

}  // namespace millrace::engine
