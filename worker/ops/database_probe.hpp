#pragma once
// Looks at the database on behalf of those who ask: can it be reached, does its schema fit, how much waits in its
// queues.
//
// A server that is stopped in its tracks answers nothing, and libpq waits for it without end. So one thread looks, with
// a connection of its own, and those who ask wait for it no longer than `patience`; it hangs up after a while, for a
// new connection may lead to another server. All who ask within `freshness` share one look: however often somebody
// scrapes, the database sees one probe a second.
//
// Thread rule: `ask`, `look` and `allow_upgrades` by any thread.

#include "ops/log.hpp"
#include "ops/readiness.hpp"
#include "storage/pipeline_overview.hpp"
#include "storage/queue_overview.hpp"
#include "storage/session.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace millrace::ops {

class DatabaseProbe {
public:
    static constexpr std::chrono::seconds patience{2};
    static constexpr std::chrono::seconds freshness{1};

    struct Look {
        std::optional<Obstacle> obstacle;                     // why this database cannot be worked with
        std::vector<storage::QueueDepth> queues;              // empty with an obstacle
        std::optional<double> oldest_notification_seconds{};  // of those that wait; nothing when there are none
        std::vector<storage::PipelineNumbers> pipelines{};
    };

    // The factory and the log outlive it.
    DatabaseProbe(const storage::SessionFactory& sessions, Log& log);

    [[nodiscard]] Look look();

    // In two steps, for those who look at several: what is asked for now is waited for no longer than `until`.
    using Clock = std::chrono::steady_clock;
    void ask();
    [[nodiscard]] Look look(Clock::time_point until);

    // The schema was this program's when its work began: that a newer release upgrades it is no obstacle from now on.
    void allow_upgrades() noexcept { allows_upgrades_ = true; }

private:
    void want(Clock::time_point oldest);
    void run(const std::stop_token& stop);
    [[nodiscard]] Look take(const std::stop_token& stop);
    [[nodiscard]] Look try_take(const std::stop_token& stop);
    void check_schema(storage::Session& session);
    void note(const std::string& reason);

    const storage::SessionFactory& sessions_;
    Log& log_;
    std::unique_ptr<storage::Session> session_;  // of the thread
    std::string told_;                           // of the thread: the reason last logged, empty for none
    bool is_upgrade_told_ = false;               // of the thread
    std::atomic<bool> allows_upgrades_{false};

    std::mutex mutex_;  // protects all below
    std::condition_variable_any changed_;
    bool wanted_ = false;
    std::optional<Clock::time_point> under_way_since_;
    std::optional<Look> latest_;
    Clock::time_point asked_at_;  // of latest_

    std::jthread thread_;  // last: uses the others
};

}  // namespace millrace::ops
