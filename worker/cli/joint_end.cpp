#include "cli/joint_end.hpp"

#include <cstdlib>
#include <utility>

namespace millrace::cli {

JointEnd::JointEnd(std::size_t works, std::function<void()> on_end) : on_end_{std::move(on_end)}, working_{works} {}

bool JointEnd::note_failed(std::exception_ptr reason) {
    {
        const std::lock_guard lock{mutex_};
        ++failed_;
        if (failed_ < working_ && !stop_.stop_requested()) return true;
        if (!failure_) failure_ = std::move(reason);
        exit_ = Exit::failed;
    }
    stop_.request_stop();
    return false;
}

void JointEnd::note_trying() {
    const std::lock_guard lock{mutex_};
    --failed_;
}

void JointEnd::note_drained() {
    const std::lock_guard lock{mutex_};
    if (--working_ == 0) on_end_();
    ended_.notify_all();
}

void JointEnd::leave(Exit exit) {
    stop_.request_stop();
    std::unique_lock lock{mutex_};
    if (exit != Exit::done) exit_ = exit;
    --working_;
    ended_.notify_all();
    ended_.wait(lock, [this] { return working_ == 0; });
    std::_Exit(static_cast<int>(exit_));
}

std::exception_ptr JointEnd::failure() const {
    const std::lock_guard lock{mutex_};
    return failure_;
}

}  // namespace millrace::cli
