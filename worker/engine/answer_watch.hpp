#pragma once
// Notices a database that has stopped answering without a word, and hangs up.
//
// A commit that waits for its synchronous standby ignores every time limit of the server's, and a server that is
// suspended keeps none. So the client counts. How long a settle may take nobody knows, but a heartbeat renews one row:
// when it has not been answered for `patience`, the database is silent. All that wait for it are hung up, find a
// ConnectionLost, and have their statement in doubt like any other whose answer was lost. From then on nobody but the
// heartbeat speaks to it, over new connections, to whatever server is the primary by then, until a heartbeat has been
// answered; no connection from before is used again.
//
// A worker that is to end dismisses one speaker after the other when they take too long: whoever waits then, for a lock
// that somebody holds perhaps, or begins to, is hung up.
//
// Never a cancel request: a commit that waits for its standby would be answered as done, and only a warning would say
// that it is on one server alone.
//
// Thread rule: any thread.

#include "engine/attempt.hpp"
#include "storage/session.hpp"

#include <atomic>
#include <list>
#include <mutex>
#include <vector>

namespace millrace::engine {

class AnswerWatch {
public:
    enum class Speaker { heartbeat, claimer, completer, maintenance, other };

    static constexpr std::chrono::milliseconds least_patience{2000};

private:
    struct Wait {
        storage::Session* session;
        Speaker speaker;
        Clock::time_point since;
        bool hung_up = false;
    };

public:
    explicit AnswerWatch(std::chrono::milliseconds patience) : patience_{patience} {}

    // An answer is waited for as long as this lives, which the session must outlive.
    class Waiting {
    public:
        Waiting(AnswerWatch& watch, storage::Session& session, Speaker speaker);
        ~Waiting();
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;

    private:
        AnswerWatch& watch_;
        std::list<Wait>::iterator wait_;
    };

    // Returns how many sessions were hung up.
    int hang_up_unanswered(Clock::time_point now);

    // Returns how many sessions were hung up; those that come later are, too.
    int dismiss(Speaker speaker);

    void note_answer();  // to a heartbeat
    [[nodiscard]] bool is_silent() const noexcept { return silent_; }
    [[nodiscard]] std::chrono::milliseconds patience() const noexcept { return patience_; }

    // How often it has fallen silent: connections that were opened before the last time are of no use.
    [[nodiscard]] int silences() const noexcept { return silences_; }

private:
    [[nodiscard]] bool is_dismissed(Speaker speaker) const;

    const std::chrono::milliseconds patience_;
    std::atomic<bool> silent_{false};
    std::atomic<int> silences_{0};
    std::mutex mutex_;  // protects waits_, and their sessions from being destroyed, and dismissed_
    std::list<Wait> waits_;
    std::vector<Speaker> dismissed_;
};

}  // namespace millrace::engine
