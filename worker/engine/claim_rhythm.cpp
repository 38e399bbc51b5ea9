#include "engine/claim_rhythm.hpp"

#include <algorithm>

namespace millrace::engine {

ClaimRhythm::Step ClaimRhythm::after_claim(Time now, std::size_t jobs) {
    return jobs > 0 ? after_jobs(now) : after_nothing(now);
}

void ClaimRhythm::forget() {
    flag_is_up_ = false;
    ready_to_sleep_ = false;
    sleep_ = first_sleep;
}

ClaimRhythm::Step ClaimRhythm::after_jobs(Time now) {
    last_jobs_ = now;
    looks_ = 0;
    ready_to_sleep_ = false;
    sleep_ = first_sleep;
    if (!streak_began_) streak_began_ = now;
    if (now - count_began_ >= lately) {
        count_began_ = now;
        counted_ = 0;
    }
    ++counted_;

    const bool long_enough = now - *streak_began_ >= lately;
    const bool allowed = !lowered_at_ || now - *lowered_at_ >= lower_pause_;
    if (flag_is_up_ && (long_enough || counted_ >= rush) && allowed) {
        flag_is_up_ = false;
        is_rushed_ = !long_enough;
        lowered_at_ = now;
        return {Next::lower};
    }
    return {Next::claim};
}

ClaimRhythm::Step ClaimRhythm::after_nothing(Time now) {
    streak_began_.reset();
    if (ready_to_sleep_) return sleep();

    const bool busy_lately = last_jobs_ && now - *last_jobs_ < lately;
    if (!flag_is_up_ && busy_lately && looks_ < (is_rushed_ ? rush_looks : quick_looks)) {
        const auto pause = is_rushed_ ? quick_pause * (1 << looks_) : quick_pause;
        ++looks_;
        return {Next::sleep, pause};
    }
    looks_ = 0;
    is_rushed_ = false;
    ready_to_sleep_ = true;
    if (listening_ == Listening::off) return sleep();

    if (!flag_is_up_ && lowered_at_) {
        const bool too_soon = now - *lowered_at_ < 2 * lower_pause_;
        lower_pause_ = too_soon ? std::min(lower_pause_ * 2, longest_lower_pause) : lower_pause;
    }
    flag_is_up_ = true;
    return {Next::raise};
}

ClaimRhythm::Step ClaimRhythm::sleep() {
    const auto duration = std::min(sleep_, poll_);
    sleep_ = std::min(sleep_ * 2, poll_);
    if (duration == poll_ && ++polls_ % polls_per_raise == 0) ready_to_sleep_ = false;
    return {Next::sleep, duration};
}

}  // namespace millrace::engine
