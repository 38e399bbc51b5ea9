#include "handlers/email/provider_pause.hpp"

#include <algorithm>
#include <utility>

namespace millrace::handlers::email {
namespace {

using Duration = ProviderPause::Duration;

Duration between(Duration least, Duration most, std::minstd_rand& random) {
    return Duration{std::uniform_int_distribution<Duration::rep>{least.count(), most.count()}(random)};
}

}  // namespace

Duration ProviderPause::remaining(Clock::time_point now) {
    return pause_.with([&](Pause& pause) {
        if (pause.step == Duration::zero() || now >= pause.until) return Duration::zero();
        const auto left = std::chrono::ceil<Duration>(pause.until - now);
        return left + between(Duration::zero(), pause.step / 5, pause.random);
    });
}

Duration ProviderPause::extend(Clock::time_point began, Clock::time_point now) {
    pause_.with([&](Pause& pause) {
        if (pause.step != Duration::zero() && began < pause.declared) return;
        pause.step = std::clamp(pause.step * 2, limits_.first, limits_.longest);
        pause.declared = now;
        // Jitter: several workers should not come back together either.
        pause.until = now + between(pause.step * 4 / 5, pause.step, pause.random);
    });
    // A try that outlasted the pause it did not know of may be repeated, but not in a tight loop.
    return std::max(remaining(now), limits_.first);
}

ProviderPause::State ProviderPause::lift() {
    return pause_.with([](Pause& pause) {
        return std::exchange(pause.step, Duration::zero()) == Duration::zero() ? State::serving : State::paused;
    });
}

}  // namespace millrace::handlers::email
