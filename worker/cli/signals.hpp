#pragma once
// SIGTERM and SIGINT as something to wait for, instead of something that interrupts.
//
// Thread rule: made before any other thread, which inherits the blocked signals; then one thread waits.

#include <optional>

namespace millrace::cli {

class Signals {
public:
    // Blocks both signals, and ignores SIGPIPE: a peer that hangs up is an error of one connection.
    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    // The signal that came; nothing when `finish` was called instead.
    [[nodiscard]] std::optional<int> wait();

    // Ends the wait. Any thread.
    void finish() noexcept;

private:
    int signals_ = -1;   // signalfd
    int finished_ = -1;  // eventfd
};

}  // namespace millrace::cli
