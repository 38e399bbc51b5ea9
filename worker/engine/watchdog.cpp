#include "engine/watchdog.hpp"

#include "engine/pause.hpp"

namespace millrace::engine {

void Watchdog::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const auto now = Clock::now();
        stats_.timed_out += attempts_.stop_overdue(now);
        escalate(now);
        heartbeat_.expire(now);
        if (const auto hung_up = answers_.hang_up_unanswered(now); hung_up > 0) {
            log_.write(ops::Level::warning, "the database does not answer, hanging up", {{"connections", hung_up}});
        }
        rounds_.note();
        pause(stop, interval);
    }
}

void Watchdog::escalate(Clock::time_point now) {
    for (const auto& [job, was_hung_up] : attempts_.escalate(now, grace_)) {
        if (was_hung_up) ++stats_.hung_up;
        attempt_log_.write(ops::Level::warning, "attempt does not stop", job,
                           {{"step", was_hung_up ? "its database session is hung up" : "none is left"}});
    }
}

}  // namespace millrace::engine
