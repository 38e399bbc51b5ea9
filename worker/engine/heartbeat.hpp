#pragma once
// Keeps this worker's lease alive, says when it is lost, and then opens another session.
//
// One row per session is renewed every third of the lease, however many jobs are in flight. The database decides: a
// renewal that finds the session ended means that our jobs were given to others, and there is nothing to repair. All
// its attempts are asked to stop, and their settles will be refused by fence whether or not they listen.
//
// What was last heard may be trusted until the lease has passed since the request was SENT (not answered): the server
// counts from when it ran the statement, which cannot be earlier.
//
// A claim whose answer was lost may have handed out jobs that nobody here knows of, and which our own heartbeats would
// keep from everybody else. Its session is therefore retired: nothing is claimed under it any more, it is kept alive
// until the jobs that are known have been settled, and then closed, which gives back the rest.
//
// With every beat it asks which attempts were cancelled, and at once when it is told that one was.
//
// Thread rule: owns one connection; `open`, `run` and `close` are called one after the other, everything else by any
// thread.

#include "engine/attempt.hpp"
#include "engine/reconnecting.hpp"
#include "engine/rounds.hpp"
#include "engine/running_attempts.hpp"
#include "storage/worker_store.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

namespace millrace::engine {

class Heartbeat {
public:
    // Beyond two leases: to look a host up, and to find that nobody answers there.
    static constexpr std::chrono::minutes connecting{1};

    Heartbeat(const storage::SessionFactory& sessions, storage::WorkerInfo worker, RunningAttempts& attempts,
              AnswerWatch& answers, Stats& stats, ops::Log& log);

    // Opens the first session, waiting for the server as long as it takes. Throws storage::Error when refused.
    void open(const std::stop_token& stop);
    void run(const std::stop_token& stop);
    // Closes all sessions; what they still hold becomes available again.
    void close(const std::stop_token& give_up);

    // The lease to claim under; waits for one. Null when stop was requested first.
    [[nodiscard]] std::shared_ptr<const Lease> current(const std::stop_token& stop);

    void lose(const std::shared_ptr<const Lease>& lease);    // the database said that it has ended
    void retire(const std::shared_ptr<const Lease>& lease);  // a claim under it is in doubt
    // Requests to stop have been notified: of this session, or perhaps of any.
    void look_for_requests(std::optional<core::WorkerId> session);
    void start_draining();  // shown in millrace.workers; no new session from here on

    [[nodiscard]] bool holds_session() const;
    // Since the newest renewal that the database accepted was sent; nothing before the first.
    [[nodiscard]] std::optional<Clock::duration> age() const;
    // Whether `run` comes round, the database may answer or not: an answer that does not come is hung up on after a
    // third of the lease. When it has not for two leases, all that it held is lost already.
    [[nodiscard]] bool goes_round(Clock::time_point now) const noexcept { return rounds_.are_going(now); }

    // Gives up the leases that may not be trusted any more.
    void expire(Clock::time_point now);

private:
    struct Held {
        std::shared_ptr<Lease> lease;
        Clock::time_point trusted_until;
        bool retired = false;
    };

    [[nodiscard]] bool waits_for_standby(storage::Session& session);
    void open_session(storage::Session& session);
    void beat(storage::Session& session);
    [[nodiscard]] bool renew(core::WorkerId worker, Clock::time_point sent);
    void retire_all();
    void close_retired(storage::Session& session);
    [[nodiscard]] bool lacks_current() const;
    [[nodiscard]] std::vector<core::WorkerId> held_ids() const;
    void drop(core::WorkerId worker, std::string_view reason);
    void wait(const std::stop_token& stop, std::chrono::milliseconds duration);

    const storage::WorkerInfo worker_;
    RunningAttempts& attempts_;
    Stats& stats_;
    ops::Log& log_;
    AnswerWatch& answers_;
    Reconnecting connection_;
    Rounds rounds_;

    mutable std::mutex mutex_;  // protects all below
    std::condition_variable_any changed_;
    std::vector<Held> held_;  // one of them current, the others retired
    std::optional<Clock::time_point> renewed_at_;
    bool draining_ = false;
    bool poked_ = false;  // run() should look at once
};

}  // namespace millrace::engine
