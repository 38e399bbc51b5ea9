#pragma once
// Claims one queue's jobs: as many as there are free slots, and some ahead while jobs are short. When there are none it
// sleeps by the rules of ClaimRhythm.
//
// Of a queue with a rate it claims nothing ahead, because a job's start is its claim; and when a claim brings nothing,
// it asks whether there is no token, and sleeps until there is one, whatever is enqueued meanwhile.
//
// A claim whose answer was lost is not repeated under the same session: its jobs, if it found any, are ours without our
// knowing them. The session is retired instead, see Heartbeat.
//
// Thread rule: owns one thread and one connection; `adjust` by any thread.

#include "engine/backlog.hpp"
#include "engine/bell.hpp"
#include "engine/claim_rhythm.hpp"
#include "engine/completer.hpp"
#include "engine/heartbeat.hpp"
#include "engine/maintenance.hpp"
#include "engine/prefetch.hpp"
#include "engine/reconnecting.hpp"
#include "engine/settings.hpp"

#include <optional>
#include <random>
#include <stop_token>

namespace millrace::engine {

class Claimer {
public:
    // More unsettled results than this, and nothing is claimed until they are fewer.
    static constexpr std::size_t most_unsettled = 4000;
    // Jobs claimed ahead that have not moved for this long are given back: others may be free to run them.
    static constexpr std::chrono::seconds patience{1};
    // A queue may be given a rate while it works. One that has none is asked for it this seldom, after an empty claim;
    // the second is for those who listen, and are told.
    static constexpr std::chrono::seconds ask_for_rate_every{1};
    static constexpr std::chrono::seconds ask_for_rate_when_told_every{30};

    struct Surroundings {
        const storage::SessionFactory& sessions;
        Heartbeat& heartbeat;
        Completer& completer;
        Maintenance& maintenance;
        AnswerWatch& answers;
        Stats& stats;
        QueueStats& queue_stats;
        ops::Log& log;
        Spans* spans;  // null: nothing is traced
    };

    Claimer(const Surroundings& surroundings, const QueueSettings& queue, const WorkerSettings& worker,
            Backlog& backlog, Bell& bell);

    void run(const std::stop_token& stop);

    // From the next claim on: the slots of this queue, and how many jobs are claimed ahead.
    void adjust(const QueueSettings& queue) noexcept;

private:
    // How many jobs were claimed; nothing when the claim has to be made again under another session.
    [[nodiscard]] std::optional<std::size_t> claim(const std::stop_token& stop, std::size_t room);
    void follow(const std::stop_token& stop, const ClaimRhythm::Step& step);
    // Whether there was a token to wait for.
    [[nodiscard]] bool await_token(const std::stop_token& stop);
    [[nodiscard]] std::chrono::milliseconds until_token(const std::stop_token& stop);
    void give_back_stuck();

    const Surroundings with_;
    const QueueSettings queue_;
    Backlog& backlog_;
    Bell& bell_;
    Reconnecting connection_;
    ClaimRhythm rhythm_;
    Prefetch prefetch_;
    const std::chrono::milliseconds poll_;
    const std::chrono::seconds ask_for_rate_every_;
    bool is_rated_ = false;  // as far as we know
    Clock::time_point asked_for_rate_at_{};
    std::uint64_t finished_at_last_look_ = 0;
    std::mt19937 random_{std::random_device{}()};
};

}  // namespace millrace::engine
