#pragma once
// SIGTERM, SIGINT and SIGHUP as something to wait for, instead of something that interrupts.
//
// Thread rule: made before any other thread, which inherits the blocked signals; then one thread waits.

#include <optional>

namespace millrace::cli {

class Signals {
public:
    // Blocks these signals, and ignores SIGPIPE: a peer that hangs up is an error of one connection.
    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    // The signal that came; nothing when `finish` was called instead. SIGHUP is a wish to read the settings again; when
    // it says that our terminal has gone, it is a SIGTERM.
    [[nodiscard]] std::optional<int> wait();

    // As above, but SIGHUP is ignored.
    [[nodiscard]] std::optional<int> wait_for_end();

    // Ends the wait. Any thread.
    void finish() noexcept;

private:
    const bool had_terminal_;
    int signals_ = -1;   // signalfd
    int finished_ = -1;  // eventfd
};

}  // namespace millrace::cli
