#pragma once
// Wakes a sleeping claimer. A ring that comes while nobody sleeps is remembered for the next wait.
//
// Thread rule: `ring` by any thread, `wait` by one.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace millrace::engine {

// Why it rings. Of two that come together the later one here is heard.
enum class Ring {
    jobs,     // there may be some
    flagless  // and who goes on sleeping must say so again: the queue's flag may be down
};

class Bell {
public:
    void ring(Ring why) {
        const std::lock_guard lock{mutex_};
        rung_ = std::max(rung_, std::optional{why});
        rings_.notify_one();
    }

    // Nothing when `patience` ran out or stop was requested.
    std::optional<Ring> wait(const std::stop_token& stop, std::chrono::milliseconds patience) {
        std::unique_lock lock{mutex_};
        rings_.wait_for(lock, stop, patience, [&] { return rung_.has_value(); });
        return std::exchange(rung_, std::nullopt);
    }

private:
    std::mutex mutex_;  // protects rung_
    std::condition_variable_any rings_;
    std::optional<Ring> rung_;
};

}  // namespace millrace::engine
