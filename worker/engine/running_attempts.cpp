#include "engine/running_attempts.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace millrace::engine {

std::stop_token RunningAttempts::Slot::begin(const Attempt& attempt) {
    const std::lock_guard lock{mutex_};
    attempt_ = &attempt;
    source_ = std::stop_source{};
    reason_ = StopReason::none;
    is_overdue_ = false;
    was_hung_up_ = false;
    return source_.get_token();
}

StopReason RunningAttempts::Slot::reason() const {
    const std::lock_guard lock{mutex_};
    return reason_;
}

bool RunningAttempts::Slot::was_hung_up() const {
    const std::lock_guard lock{mutex_};
    return was_hung_up_;
}

RunningAttempts::Slot::Use::Use(Slot& slot, storage::Session& session) : slot_{slot} {
    const std::lock_guard lock{slot_.mutex_};
    slot_.session_ = &session;
}

RunningAttempts::Slot::Use::~Use() {
    const std::lock_guard lock{slot_.mutex_};
    slot_.session_ = nullptr;
}

void RunningAttempts::Slot::end() {
    const std::lock_guard lock{mutex_};
    attempt_ = nullptr;
}

RunningAttempts::Slot& RunningAttempts::add_slot() {
    return slots_.with([](auto& slots) -> Slot& { return *slots.emplace_back(std::make_unique<Slot>()); });
}

// None is ever removed, so that they may be looked at without the lock.
std::vector<RunningAttempts::Slot*> RunningAttempts::slots() const {
    return slots_.with([](const auto& slots) {
        std::vector<Slot*> all;
        all.reserve(slots.size());
        for (const auto& slot : slots)
            all.push_back(slot.get());
        return all;
    });
}

template <class Applies>
std::size_t RunningAttempts::stop_where(StopReason reason, Applies applies) {
    std::size_t stopped = 0;
    for (auto* slot : slots()) {
        std::optional<std::stop_source> source;
        {
            const std::lock_guard lock{slot->mutex_};
            if (slot->attempt_ == nullptr || !applies(*slot->attempt_)) continue;
            if (slot->reason_ != StopReason::none) continue;  // the first reason stands
            slot->reason_ = reason;
            slot->stopped_at_ = Clock::now();
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

void RunningAttempts::cancel(std::vector<storage::CancelRequest> requests) {
    std::sort(requests.begin(), requests.end());
    {
        const std::lock_guard lock{requests_mutex_};
        requests_ = std::move(requests);
    }
    stop_where(StopReason::cancelled, [&](const Attempt& attempt) { return is_cancelled(attempt.job); });
}

bool RunningAttempts::is_cancelled(const core::Job& job) const {
    const std::lock_guard lock{requests_mutex_};
    return std::binary_search(requests_.begin(), requests_.end(), storage::CancelRequest{job.fence, job.id});
}

std::vector<RunningAttempts::Overdue> RunningAttempts::escalate(Clock::time_point now,
                                                                std::chrono::milliseconds grace) {
    std::vector<Overdue> overdue;
    for (auto* slot : slots()) {
        const std::lock_guard lock{slot->mutex_};
        const bool may_be_late = slot->reason_ == StopReason::deadline || slot->reason_ == StopReason::cancelled;
        if (slot->attempt_ == nullptr || !may_be_late || slot->is_overdue_ || now - slot->stopped_at_ < grace) continue;
        slot->is_overdue_ = true;
        slot->was_hung_up_ = slot->session_ != nullptr;
        if (slot->was_hung_up_) slot->session_->hang_up();
        overdue.push_back({slot->attempt_->job, slot->was_hung_up_});
        overdue.back().job.payload.clear();
    }
    return overdue;
}

std::vector<core::Job> RunningAttempts::jobs() const {
    std::vector<core::Job> jobs;
    for (auto* slot : slots()) {
        const std::lock_guard lock{slot->mutex_};
        if (slot->attempt_ == nullptr) continue;
        jobs.push_back(slot->attempt_->job);
        jobs.back().payload.clear();
    }
    return jobs;
}

}  // namespace millrace::engine
