#pragma once
// How the work for one database or several ends.
//
//     a stop is requested            → each drains, for itself
//     one fails                      → the others go on, and it may try again; when all have failed, that is the end
//     one leaves a handler behind    → nothing that this uses can be taken apart: the others drain, and when they
//                                      have, the process ends where it is
//
// With one database the first failure is the end.
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

    // Whether it may try again, which it then says. It may not when all have failed, or are to stop.
    [[nodiscard]] bool note_failed(std::exception_ptr reason);
    void note_trying();

    // Each work ends in one of these ways.
    void note_drained();
    [[noreturn]] void leave(Exit exit);  // waits for the others

    // That of which all have come to their end; null: there was none.
    [[nodiscard]] std::exception_ptr failure() const;

private:
    const std::function<void()> on_end_;
    std::stop_source stop_;

    mutable std::mutex mutex_;  // protects all below
    std::condition_variable ended_;
    std::size_t working_;     // have not ended
    std::size_t failed_ = 0;  // of these, and do not try again yet
    std::exception_ptr failure_;
    Exit exit_ = Exit::done;  // of a process that ends where it is
};

}  // namespace millrace::cli
