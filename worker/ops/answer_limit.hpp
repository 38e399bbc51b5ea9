#pragma once
// While it lives, a session whose server falls silent is hung up on after a while: `ConnectionLost` then, for whoever
// waits for it. The server's own limits end what the server does; of a host that is frozen nobody hears any more, and
// its kernel acknowledges what it is sent, so that libpq waits without end.
//
// Thread rule: owns one thread, which hangs up.

#include "engine/time_limit.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <functional>
#include <stop_token>

namespace millrace::ops {

class AnswerLimit {
public:
    static constexpr std::chrono::seconds limit{10};  // above `lock_timeout` and `statement_timeout` of one statement

    // The session outlives it.
    explicit AnswerLimit(storage::Session& session)
        : late_{limit}, hang_up_{late_.token(), [&session] { session.hang_up(); }} {}

private:
    engine::TimeLimit late_;
    std::stop_callback<std::function<void()>> hang_up_;
};

}  // namespace millrace::ops
