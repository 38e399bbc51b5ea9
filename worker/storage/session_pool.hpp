#pragma once
// Sessions for short work beside a thread's own one, such as a handler's before it asks another server: lent for a
// scope, and kept for the next. A new connection costs the server milliseconds, and plans each function anew.
//
//     const auto session = pool.lend("forks");
//     ForksStore{*session}.intend_merge(job);
//
// A session is taken back as it is: whoever borrows one leaves no setting, lock or temporary table of the session in
// it. One that an exception passes by is closed instead, because it may be the reason.
//
// An idle session may have been cut off: by a restart, a failover, a pooler, `idle_session_timeout`. Its socket says
// so, at no cost, and such a one is not lent. So a session that is lent is as good as one that was opened this moment;
// one that is lost while it is lent throws ConnectionLost, and costs a job's attempt.
//
// Thread rule: any thread; a lent session is for one at a time. The pool outlives what it has lent.

#include "storage/session.hpp"

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace millrace::storage {

class SessionPool {
public:
    class Lent;
    struct Limits {
        std::size_t most_idle = 4;  // beyond that the one that has been idle the longest is closed
        std::chrono::milliseconds longest_idle{std::chrono::minutes{1}};  // it is closed when the next one is lent
    };

    explicit SessionPool(SessionFactory sessions) : SessionPool{std::move(sessions), Limits{}} {}
    SessionPool(SessionFactory sessions, Limits limits);
    SessionPool(const SessionPool&) = delete;
    SessionPool& operator=(const SessionPool&) = delete;

    // An idle one of this purpose, or a new one. Throws what opening it does.
    [[nodiscard]] Lent lend(const std::string& purpose);

private:
    using Clock = std::chrono::steady_clock;
    struct Idle {
        std::string purpose;
        std::unique_ptr<Session> session;
        Clock::time_point since;
    };

    [[nodiscard]] std::unique_ptr<Session> idle_session(const std::string& purpose);
    void take_back(std::string purpose, std::unique_ptr<Session> session) noexcept;

    const SessionFactory sessions_;
    const Limits limits_;

    std::mutex mutex_;        // of what follows; nothing is opened or closed under it
    std::vector<Idle> idle_;  // the longest idle first
};

// The pool's own again at the end of the scope.
class SessionPool::Lent {
public:
    ~Lent();
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;

    [[nodiscard]] Session& operator*() const noexcept { return *session_; }

private:
    friend class SessionPool;
    Lent(SessionPool& pool, std::string purpose, std::unique_ptr<Session> session)
        : pool_{pool}, purpose_{std::move(purpose)}, session_{std::move(session)} {}

    SessionPool& pool_;
    std::string purpose_;
    std::unique_ptr<Session> session_;
    const int exceptions_ = std::uncaught_exceptions();  // when it was lent
};

}  // namespace millrace::storage
