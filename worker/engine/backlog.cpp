#include "engine/backlog.hpp"

#include <iterator>
#include <utility>

namespace millrace::engine {

std::size_t Backlog::room(std::size_t prefetch) const {
    const auto capacity = slots_ + prefetch;
    const auto held = waiting_.size() + running_;
    if (held >= capacity) return 0;
    const auto free = capacity - held;
    const bool slot_is_idle = waiting_.empty() && running_ < slots_;
    return slot_is_idle || free * 2 >= capacity ? free : 0;
}

std::size_t Backlog::await_room(const std::stop_token& stop, std::size_t prefetch, std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    room_.wait_for(lock, stop, patience, [&] {
        if (room(prefetch) > 0) return true;
        wanted_prefetch_ = prefetch;
        return false;
    });
    wanted_prefetch_.reset();
    return stop.stop_requested() ? 0 : room(prefetch);
}

void Backlog::add(std::vector<Attempt> attempts) {
    if (attempts.empty()) return;
    const std::lock_guard lock{mutex_};
    std::move(attempts.begin(), attempts.end(), std::back_inserter(waiting_));
    waiting_count_.store(waiting_.size(), std::memory_order_relaxed);
    wake_one_executor();
}

void Backlog::set_slots(std::size_t slots) {
    const std::lock_guard lock{mutex_};
    slots_ = slots;
    wake_one_executor();
    tell_claimer();
}

std::optional<Attempt> Backlog::next() {
    std::unique_lock lock{mutex_};
    while (!has_work() && !closed_) {
        ++sleeping_executors_;
        work_.wait(lock);
        --sleeping_executors_;
        waking_ = false;
    }
    if (waiting_.empty()) return std::nullopt;
    std::optional<Attempt> attempt{std::move(waiting_.front())};
    waiting_.pop_front();
    waiting_count_.store(waiting_.size(), std::memory_order_relaxed);
    ++running_;
    wake_one_executor();
    tell_claimer();
    return attempt;
}

void Backlog::done() {
    const std::lock_guard lock{mutex_};
    --running_;
    ++finished_;
    tell_claimer();
    if (closed_ && running_ == 0) idle_.notify_all();
}

std::uint64_t Backlog::finished() const {
    const std::lock_guard lock{mutex_};
    return finished_;
}

std::deque<Attempt> Backlog::take_waiting() {
    const std::lock_guard lock{mutex_};
    waiting_count_.store(0, std::memory_order_relaxed);
    return std::exchange(waiting_, {});
}

std::deque<Attempt> Backlog::close() {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    work_.notify_all();
    waiting_count_.store(0, std::memory_order_relaxed);
    return std::exchange(waiting_, {});
}

bool Backlog::await_idle(Clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    return idle_.wait_until(lock, deadline, [&] { return running_ == 0; });
}

void Backlog::wake_one_executor() {
    if (!has_work() || sleeping_executors_ == 0 || waking_) return;
    waking_ = true;
    work_.notify_one();
}

void Backlog::tell_claimer() {
    if (!wanted_prefetch_ || room(*wanted_prefetch_) == 0) return;
    wanted_prefetch_.reset();  // one wake-up is enough
    room_.notify_one();
}

}  // namespace millrace::engine
