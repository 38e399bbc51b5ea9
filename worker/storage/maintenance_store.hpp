#pragma once
// The chores that every worker shares: no leader, each call short, bounded, and harmless when repeated.
//
// Thread rule: as the Session.

#include "storage/session.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

enum class Scan {
    recent,  // of times since two minutes ago: cheap however many dead index entries lie before them
    full,    // from the beginning: finds what was committed long after its time
};

struct Promotion {
    int promoted = 0;
    std::optional<std::chrono::milliseconds> next_due;  // until the next scheduled job is due; none: nothing scheduled
};

struct ScheduleTick {
    int enqueued = 0;
    std::optional<std::chrono::milliseconds> next_due;  // until the next schedule is due; none: no schedule runs
};

class MaintenanceStore {
public:
    static constexpr int max_promote = 1000;
    static constexpr int max_tick = 1000;
    static constexpr int max_reap = 500;
    static constexpr int partition_days_ahead = 7;
    static constexpr int max_fold = 100'000;
    static constexpr int max_prune = 10'000;

    explicit MaintenanceStore(Session& session) : session_{session} {}

    [[nodiscard]] Promotion promote(Scan scan);
    [[nodiscard]] ScheduleTick tick_schedules();
    [[nodiscard]] int reap(Scan scan);  // jobs taken back
    // Of those that were claimed from, and of the counts. False when another session was at it.
    [[nodiscard]] bool advance_low_water(const std::vector<std::string>& queues);
    int fold_counts();          // rows folded
    int maintain_partitions();  // what was changed; again until it is 0
    int prune();                // rows removed; again while it is max_prune
    // What keeps notifications going, unless a worker has begun with it so lately. Whether there is more to do at once.
    [[nodiscard]] bool keep_up_notifications(std::chrono::milliseconds at_most_every);

private:
    Session& session_;
};

}  // namespace millrace::storage
