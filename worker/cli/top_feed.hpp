#pragma once
// What `millrace top` shows, read again and again by a thread of its own: a slow database delays the data, not the
// screen, which says how old they are.

#include "core/guarded.hpp"
#include "storage/live_view.hpp"
#include "storage/operator_store.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace millrace::cli {

struct Snapshot {
    using Clock = std::chrono::steady_clock;

    std::vector<storage::QueueRow> queues;
    std::map<std::string, double> completed_per_second;  // by queue; none before there are two snapshots
    storage::LiveView live;
    std::vector<storage::Finding> alarms;  // the doctor's; looked for less often
    Clock::time_point alarms_at;
    Clock::time_point asked_at;  // it is as old as that, whenever the answer came
};

// `before` is the last one, if any. Throws as the stores do.
[[nodiscard]] Snapshot take_snapshot(storage::Session& session, const Snapshot* before);

// Thread rule: any thread may ask `now`; the thread that reads calls `tell` after each try.
class Feed {
public:
    struct State {
        std::shared_ptr<const Snapshot> snapshot;
        std::string problem;  // why there is no newer one; empty: all is well
        bool is_connecting = false;
    };

    Feed(storage::SessionFactory sessions, std::unique_ptr<storage::Session> session, Snapshot first,
         std::chrono::milliseconds interval, std::function<void()> tell);
    // Hangs up whatever the server is at. Waits only for a connection that is being made.
    ~Feed();
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    [[nodiscard]] State now() const;

private:
    void read(const std::stop_token& stop);
    void read_once(std::unique_ptr<storage::Session>& session, const std::stop_token& stop);

    const storage::SessionFactory sessions_;
    const std::chrono::milliseconds interval_;
    const std::function<void()> tell_;
    core::Guarded<State> state_;
    core::Guarded<storage::Session*> in_use_;
    std::unique_ptr<storage::Session> first_session_;
    std::jthread reader_;
};

}  // namespace millrace::cli
