#pragma once
// How the work for one database or several ends.
//
//     a stop is requested            → each drains, for itself
//     one fails                      → the others drain; that failure is the process's
//     one leaves a handler behind    → nothing that this uses can be taken apart: when the others have drained, too,
//     the
//                                      process ends where it is
//
// Thread rule: any thread.

#include "cli/command.hpp"

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>

namespace millrace::cli {

class JointEnd {
public:
    // `on_end` is called by the last one that has ended, unless one has left a handler behind.
    JointEnd(std::size_t works, std::function<void()> on_end);

    [[nodiscard]] std::stop_token token() const noexcept { return stop_.get_token(); }
    void request_stop() noexcept { stop_.request_stop(); }

    // Each work ends in one of these ways.
    void note_drained();
    void note_failed(std::exception_ptr reason);
    [[noreturn]] void leave(Exit exit);  // waits for the others

    // The first one; null: there was none.
    [[nodiscard]] std::exception_ptr failure() const;

private:
    const std::function<void()> on_end_;
    std::stop_source stop_;

    mutable std::mutex mutex_;  // protects all below
    std::condition_variable ended_;
    std::size_t working_;
    std::exception_ptr failure_;
    Exit exit_ = Exit::done;  // of a process that ends where it is
};

}  // namespace millrace::cli
