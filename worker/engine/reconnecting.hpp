#pragma once
// A thread's connection to the database for as long as the thread lives: one Session after another. A lost one is
// destroyed and another opened, after a wait that grows while the server stays away.
//
// Thread rule: one thread at a time.

#include "engine/answer_watch.hpp"
#include "engine/backoff.hpp"
#include "engine/pause.hpp"
#include "engine/stats.hpp"
#include "ops/log.hpp"
#include "storage/error.hpp"
#include "storage/session.hpp"

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

namespace millrace::engine {

class Reconnecting {
public:
    using Speaker = AnswerWatch::Speaker;

    // `purpose` is at most a few words: it names the connection in pg_stat_activity and in the log.
    Reconnecting(const storage::SessionFactory& sessions, std::string purpose, AnswerWatch& watch, Stats& stats,
                 ops::Log& log, Speaker speaker = Speaker::other);

    // The session; opens one, however long that takes, but none while the database is silent (AnswerWatch). Null when
    // stop was requested first.
    [[nodiscard]] storage::Session* get(const std::stop_token& stop);

    // One try, without waiting. Throws ConnectionLost.
    [[nodiscard]] storage::Session& get_now();

    // Calls `verb` with a session until it returns: only for what may be repeated when in doubt. False when stop was
    // requested first. An Error that cannot pass is the caller's.
    template <class Verb>
    bool repeat(const std::stop_token& stop, Verb&& verb);

    // The session failed: destroys it. Returns how long to wait before the next try.
    [[nodiscard]] std::chrono::milliseconds lost(const storage::ConnectionLost& reason);

    // The session was hung up by ourselves.
    void drop() noexcept { session_.reset(); }

    // The statement failed, the session is well. Returns how long to wait before the next try.
    [[nodiscard]] std::chrono::milliseconds refused(const storage::Error& reason);

    // To be kept for as long as a statement of this session may go unanswered. Hangs up one that is from before the
    // last silence: it may lead to a server that is the primary no more.
    [[nodiscard]] AnswerWatch::Waiting await_answer(storage::Session& session);

    // A statement succeeded.
    void worked() noexcept { backoff_.reset(); }

private:
    const storage::SessionFactory& sessions_;
    const std::string purpose_;
    AnswerWatch& watch_;
    Stats& stats_;
    ops::Log& log_;
    const Speaker speaker_;
    Backoff backoff_;
    std::unique_ptr<storage::Session> session_;
    int opened_after_ = 0;  // silences
    bool was_open_ = false;
};

template <class Verb>
bool Reconnecting::repeat(const std::stop_token& stop, Verb&& verb) {
    while (auto* session = get(stop)) {
        try {
            {
                const auto waiting = await_answer(*session);
                verb(*session);
            }
            worked();
            return true;
        } catch (const storage::ConnectionLost& reason) {
            pause(stop, lost(reason));
        } catch (const storage::Error& reason) {
            if (!reason.is_passing()) throw;
            pause(stop, refused(reason));
        }
    }
    return false;
}

}  // namespace millrace::engine
