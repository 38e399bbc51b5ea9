#include "engine/running_attempts.hpp"

#include <optional>

namespace millrace::engine {

std::stop_token RunningAttempts::Slot::begin(const Attempt& attempt) {
    const std::lock_guard lock{mutex_};
    attempt_ = &attempt;
    source_ = std::stop_source{};
    reason_ = StopReason::none;
    return source_.get_token();
}

StopReason RunningAttempts::Slot::reason() const {
    const std::lock_guard lock{mutex_};
    return reason_;
}

void RunningAttempts::Slot::end() {
    const std::lock_guard lock{mutex_};
    attempt_ = nullptr;
}

RunningAttempts::RunningAttempts(std::size_t slots) {
    for (std::size_t i = 0; i < slots; ++i)
        slots_.push_back(std::make_unique<Slot>());
}

template <class Applies>
std::size_t RunningAttempts::stop_where(StopReason reason, Applies applies) {
    std::size_t stopped = 0;
    for (const auto& slot : slots_) {
        std::optional<std::stop_source> source;
        {
            const std::lock_guard lock{slot->mutex_};
            if (slot->attempt_ == nullptr || !applies(*slot->attempt_)) continue;
            if (slot->reason_ != StopReason::none) continue;  // the first reason stands
            slot->reason_ = reason;
            source.emplace(slot->source_);
        }
        source->request_stop();
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

std::size_t RunningAttempts::stop_overdue(Clock::time_point now) {
    return stop_where(StopReason::deadline, [now](const Attempt& attempt) { return attempt.deadline <= now; });
}

std::vector<core::Job> RunningAttempts::jobs() const {
    std::vector<core::Job> jobs;
    for (const auto& slot : slots_) {
        const std::lock_guard lock{slot->mutex_};
        if (slot->attempt_ == nullptr) continue;
        jobs.push_back(slot->attempt_->job);
        jobs.back().payload.clear();
    }
    return jobs;
}

}  // namespace millrace::engine
