#pragma once
// Wakes a sleeping claimer. A ring that comes while nobody sleeps is remembered for the next wait.
//
// Thread rule: `ring` by any thread, `wait` by one.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

namespace millrace::engine {

class Bell {
public:
    void ring() {
        const std::lock_guard lock{mutex_};
        rung_ = true;
        rings_.notify_one();
    }

    // True when it rang; false when `patience` ran out or stop was requested.
    bool wait(const std::stop_token& stop, std::chrono::milliseconds patience) {
        std::unique_lock lock{mutex_};
        rings_.wait_for(lock, stop, patience, [&] { return rung_; });
        return std::exchange(rung_, false);
    }

private:
    std::mutex mutex_;  // protects rung_
    std::condition_variable_any rings_;
    bool rung_ = false;
};

}  // namespace millrace::engine
