#pragma once
// Notices a database that has stopped answering without a word, and hangs up.
//
// A commit that waits for its synchronous standby ignores every time limit of the server's, and a server that is
// suspended or cut off keeps none. So the client counts. How long a settle may take nobody knows, but a heartbeat
// renews one row: when it has not been answered for `patience`, the server answers nobody, and whoever has waited as
// long is hung up with it. Each then finds a ConnectionLost, and its statement in doubt like any other whose answer was
// lost; the next connection goes to whatever server is the primary by then.
//
// Never a cancel request: a commit that waits for its standby would be answered as done, and only a warning would say
// that it is on one server alone.
//
// Thread rule: any thread.

#include "engine/attempt.hpp"
#include "storage/session.hpp"

#include <list>
#include <mutex>

namespace millrace::engine {

class AnswerWatch {
public:
    enum class Statement { heartbeat, other };

private:
    struct Wait {
        storage::Session* session;
        Statement statement;
        Clock::time_point since;
        bool hung_up = false;
    };

public:
    explicit AnswerWatch(std::chrono::milliseconds patience) : patience_{patience} {}

    // An answer is waited for as long as this lives, which the session must outlive.
    class Waiting {
    public:
        Waiting(AnswerWatch& watch, storage::Session& session, Statement statement = Statement::other);
        ~Waiting();
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;

    private:
        AnswerWatch& watch_;
        std::list<Wait>::iterator wait_;
    };

    // Returns how many sessions were hung up.
    int hang_up_unanswered(Clock::time_point now);

private:
    const std::chrono::milliseconds patience_;
    std::mutex mutex_;  // protects waits_, and their sessions from being destroyed
    std::list<Wait> waits_;
};

}  // namespace millrace::engine
