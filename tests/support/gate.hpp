#pragma once
// Holds threads until a test lets them go, and tells the test how many have come.
//
// Thread rule: any thread.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>

namespace millrace::testing {

class Gate {
public:
    // Blocks until the gate is open or stop is requested; true when it is open.
    bool pass(const std::stop_token& stop = {}) {
        std::unique_lock lock{mutex_};
        ++arrived_;
        changed_.notify_all();
        changed_.wait(lock, stop, [&] { return open_; });
        return open_;
    }

    void open() {
        const std::lock_guard lock{mutex_};
        open_ = true;
        changed_.notify_all();
    }

    // False when fewer have arrived within a minute.
    [[nodiscard]] bool await_arrived(std::size_t threads) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, std::chrono::seconds{60}, [&] { return arrived_ >= threads; });
    }

    [[nodiscard]] std::size_t arrived() {
        const std::lock_guard lock{mutex_};
        return arrived_;
    }

private:
    std::mutex mutex_;  // protects all
    std::condition_variable_any changed_;
    std::size_t arrived_ = 0;
    bool open_ = false;
};

}  // namespace millrace::testing
