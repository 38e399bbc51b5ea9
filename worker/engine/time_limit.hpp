#pragma once
// A stop token that triggers by itself after a while, for what must not be waited for any longer than that.
//
// Thread rule: owns one thread; the token may be used by any while this lives.

#include "engine/pause.hpp"

#include <chrono>
#include <stop_token>
#include <thread>

namespace millrace::engine {

class TimeLimit {
public:
    explicit TimeLimit(std::chrono::milliseconds limit)
        : timer_{[this, limit](const std::stop_token& cancelled) {
              pause(cancelled, limit);
              if (!cancelled.stop_requested()) source_.request_stop();
          }} {}

    [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }

private:
    std::stop_source source_;
    std::jthread timer_;  // last: it uses source_
};

}  // namespace millrace::engine
