#include "engine/running_attempts.hpp"

#include <algorithm>

namespace millrace::engine {

std::stop_token RunningAttempts::Slot::begin(const Attempt& attempt) {
    const std::lock_guard lock{mutex_};
    attempt_ = &attempt;
    source_ = std::stop_source{};
    reason_ = StopReason::none;
    abandoned_ = false;
    return source_.get_token();
}

StopReason RunningAttempts::Slot::reason() const {
    const std::lock_guard lock{mutex_};
    return reason_;
}

bool RunningAttempts::Slot::end() {
    const std::lock_guard lock{mutex_};
    attempt_ = nullptr;
    return !abandoned_;
}

RunningAttempts::RunningAttempts(std::size_t slots) {
    for (std::size_t i = 0; i < slots; ++i) slots_.push_back(std::make_unique<Slot>());
}

template <class Applies>
std::size_t RunningAttempts::stop_where(StopReason reason, Applies applies) {
    std::size_t stopped = 0;
    for (const auto& slot : slots_) {
        std::stop_source source{std::nostopstate};
        {
            const std::lock_guard lock{slot->mutex_};
            if (slot->attempt_ == nullptr || !applies(*slot->attempt_)) continue;
            if (slot->reason_ != StopReason::none) continue;  // the first reason stands
            slot->reason_ = reason;
            source = slot->source_;
        }
        source.request_stop();
        ++stopped;
    }
    return stopped;
}

void RunningAttempts::stop_all(StopReason reason) {
    stop_where(reason, [](const Attempt&) { return true; });
}

void RunningAttempts::stop_of(const Lease& lease) {
    stop_where(StopReason::lease_lost, [&](const Attempt& attempt) { return attempt.lease.get() == &lease; });
}

std::size_t RunningAttempts::stop_overdue(Clock::time_point now, Clock::time_point& next) {
    next = Clock::time_point::max();
    return stop_where(StopReason::deadline, [&](const Attempt& attempt) {
        if (attempt.deadline <= now) return true;
        next = std::min(next, attempt.deadline);
        return false;
    });
}

std::vector<RunningAttempts::Holding> RunningAttempts::abandon_all() {
    std::vector<Holding> held;
    for (const auto& slot : slots_) {
        const std::lock_guard lock{slot->mutex_};
        if (slot->attempt_ == nullptr) continue;
        slot->abandoned_ = true;
        held.push_back({slot->attempt_->job.id, slot->attempt_->job.fence, slot->attempt_->lease});
    }
    return held;
}

}  // namespace millrace::engine
