#pragma once
// SIGINT and SIGTERM during long work that goes on in steps: the first lets the step at hand end, the second ends the
// process at once.
//
// Thread rule: made before any other thread, which inherits the blocked signals; any thread may ask. Owns one thread.

#include "cli/signals.hpp"

#include <atomic>
#include <thread>

namespace millrace::cli {

class Interruption {
public:
    Interruption();
    ~Interruption();
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

    [[nodiscard]] bool has_come() const noexcept { return has_come_; }

private:
    Signals signals_;
    std::atomic<bool> has_come_{false};
    std::jthread thread_;  // last: it uses the others
};

}  // namespace millrace::cli
