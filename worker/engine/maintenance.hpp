#pragma once
// The chores that every worker shares with every other: jobs whose time has come become available, schedules enqueue
// theirs, dead workers' jobs are taken back, the low-water advances, counts are folded, partitions are made ahead,
// ledgers pruned, notifications kept up. One is for this worker alone: it asks whether the schemas of its kinds have
// changed.
//
// There is no leader to elect or lose. Each chore is a short transaction that skips what another worker holds, and all
// are spread in time. An idle worker does little: it knows when the next scheduled job and the next schedule are due,
// and is told of earlier ones (sql/queue/wake.sql). Nothing depends on that: it looks for them all the same, every two
// seconds for jobs that become due while it has work or cannot be told, seldom when it has been idle.
//
// A chore that the database refuses is tried again after a while, and keeps no other from being done. Only a database
// that is not this worker's any more ends it.
//
// Thread rule: owns one thread and one connection; the notes may be left by any thread.

#include "engine/attempt.hpp"
#include "engine/payload_schemas.hpp"
#include "engine/reconnecting.hpp"
#include "engine/settings.hpp"
#include "storage/listener.hpp"
#include "storage/maintenance_store.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

namespace millrace::engine {

class Maintenance {
public:
    static constexpr std::chrono::milliseconds promote_at_most_every{50};
    static constexpr std::chrono::milliseconds promote_at_least_every{2000};
    static constexpr std::chrono::milliseconds promote_when_idle_every{10'000};
    static constexpr std::chrono::milliseconds tick_at_most_every{50};
    static constexpr std::chrono::milliseconds tick_at_least_every{5000};
    static constexpr std::chrono::milliseconds look_when_told_every{30'000};  // of schedules and schemas
    // Only then is it idle: a transaction that enqueues a delayed job may have begun when nobody had to be told of it.
    static constexpr std::chrono::seconds idle_after{30};
    static constexpr std::chrono::milliseconds full_promote_every{30'000};
    static constexpr std::chrono::milliseconds reap_at_least_every{10'000};
    static constexpr std::chrono::milliseconds full_reap_every{300'000};
    static constexpr std::chrono::milliseconds advance_at_most_every{50};
    static constexpr std::chrono::milliseconds advance_when_busy_every{1000};
    static constexpr std::size_t advance_after_claims = 2000;
    static constexpr std::chrono::milliseconds fold_when_busy_every{1000};
    static constexpr std::chrono::milliseconds fold_when_idle_every{60'000};
    static constexpr std::chrono::milliseconds partitions_every{std::chrono::hours{1}};
    static constexpr std::chrono::milliseconds prune_every{std::chrono::minutes{1}};
    static constexpr std::chrono::milliseconds keep_up_every{std::chrono::minutes{1}};

    Maintenance(const storage::SessionFactory& sessions, std::chrono::milliseconds lease, AnswerWatch& answers,
                Stats& stats, ops::Log& log, PayloadSchemas& schemas, Listening listening);

    void run(const std::stop_token& stop);

    // The queue's low-water can advance, the counts have changed.
    void note_claimed(const std::string& queue, std::size_t jobs);
    void note_scheduled();  // a job may be due before the time we know of
    void note(storage::Announcement::News news);

private:
    struct Notes {
        std::size_t claimed = 0;
        std::set<std::string> queues;  // of what was claimed
        bool scheduled = false;
        bool schedules = false;
        bool schemas = false;
    };
    using Time = Clock::time_point;

    // Does it if it is due; `due_at` is put off when it is refused.
    template <class Do>
    void chore(std::string_view name, Time now, Time& due_at, const Do& work);
    void promote(storage::MaintenanceStore& store, Time now);
    void tick(storage::MaintenanceStore& store, Time now);
    void reap(storage::MaintenanceStore& store, Time now);
    void advance(storage::MaintenanceStore& store, Time now);
    void fold(storage::MaintenanceStore& store, Time now);
    void make_partitions(storage::MaintenanceStore& store, Time now);
    void prune(storage::MaintenanceStore& store, Time now);
    void keep_up(storage::MaintenanceStore& store, Time now);
    void load_schemas(storage::Session& session);
    [[nodiscard]] Time next_chore() const;
    [[nodiscard]] Time in(std::chrono::milliseconds interval, Time now) { return now + jittered(interval, random_); }
    void take_notes(Time now);
    [[nodiscard]] bool is_idle(Time now) const;

    const std::chrono::milliseconds reap_every_;
    Stats& stats_;
    PayloadSchemas& schemas_;
    const bool is_told_;
    ops::Log& log_;
    Reconnecting connection_;
    std::mt19937 random_{std::random_device{}()};
    std::map<std::string_view, Backoff> refused_;  // by chore

    // When each chore is due; all but the partitions and the pruning at once after the start.
    Time promote_at_{}, full_promote_at_{}, tick_at_{}, reap_at_{}, fold_at_{}, partitions_at_, prune_at_, load_at_{};
    Time full_reap_at_{}, keep_up_at_{};
    bool schemas_loaded_ = false;
    bool keeps_up_again_ = false;  // without a pause: it began a while ago, and there is more
    Time advance_at_ = Time::max();
    Time promoted_at_{}, ticked_at_{}, advanced_at_{};
    Time worked_at_ = Clock::now();
    std::size_t unadvanced_claims_ = 0;
    std::set<std::string> unadvanced_queues_;
    bool advances_again_ = false;  // after the last claim once more: what was new to the first may have held it back

    std::mutex mutex_;  // protects notes_
    std::condition_variable_any noted_;
    Notes notes_;
};

}  // namespace millrace::engine
