#include "cli/top_feed.hpp"

#include "storage/error.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace millrace::cli {

namespace {

using namespace std::chrono_literals;

constexpr int most_rows = 200;  // of jobs and of workers: more than a terminal has lines
constexpr auto alarm_interval = 10s;

}  // namespace

Snapshot take_snapshot(storage::Session& session, const Snapshot* before) {
    storage::OperatorStore store{session};
    Snapshot snapshot;
    snapshot.asked_at = Snapshot::Clock::now();
    snapshot.queues = store.queues();
    snapshot.live = storage::live_view(session, most_rows);
    const bool looks = before == nullptr || snapshot.asked_at - before->alarms_at >= alarm_interval;
    snapshot.alarms_at = looks ? snapshot.asked_at : before->alarms_at;
    snapshot.alarms = looks ? store.findings() : before->alarms;
    if (before == nullptr) return snapshot;
    const std::chrono::duration<double> passed = snapshot.asked_at - before->asked_at;
    for (const auto& queue : snapshot.queues) {
        const auto known = std::find_if(before->queues.begin(), before->queues.end(),
                                        [&](const storage::QueueRow& other) { return other.name == queue.name; });
        if (known == before->queues.end()) continue;
        snapshot.completed_per_second[queue.name] =
            static_cast<double>(queue.completed - known->completed) / std::max(passed.count(), 0.001);
    }
    return snapshot;
}

Feed::Feed(storage::SessionFactory sessions, std::unique_ptr<storage::Session> session, Snapshot first,
           std::chrono::milliseconds interval, std::function<void()> tell)
    : sessions_{std::move(sessions)},
      interval_{interval},
      tell_{std::move(tell)},
      state_{State{.snapshot = std::make_shared<const Snapshot>(std::move(first)), .problem = {}}},
      in_use_{session.get()},
      first_session_{std::move(session)},
      reader_{[this](const std::stop_token& stop) { read(stop); }} {}

Feed::~Feed() {
    reader_.request_stop();
    in_use_.with([](storage::Session* session) {
        if (session != nullptr) session->hang_up();
    });
}

Feed::State Feed::now() const {
    return state_.with([](const State& state) { return state; });
}

void Feed::read(const std::stop_token& stop) {
    auto session = std::move(first_session_);
    std::mutex mutex;
    std::condition_variable_any stopped;
    while (true) {
        std::unique_lock lock{mutex};
        if (stopped.wait_for(lock, stop, interval_, [&] { return stop.stop_requested(); })) break;
        std::string problem;
        try {
            read_once(session, stop);
        } catch (const storage::ConnectionLost& error) {
            in_use_.with([](storage::Session*& known) { known = nullptr; });
            session.reset();
            problem = std::string{"no connection to the database: "} + error.what();
        } catch (const std::exception& error) {
            problem = error.what();
        }
        state_.with([&](State& state) {
            state.problem = problem;
            state.is_connecting = false;
        });
        tell_();
    }
    in_use_.with([](storage::Session*& known) { known = nullptr; });
}

void Feed::read_once(std::unique_ptr<storage::Session>& session, const std::stop_token& stop) {
    if (!session) {
        state_.with([](State& state) { state.is_connecting = true; });
        session = sessions_.open("top");
        in_use_.with([&](storage::Session*& known) { known = session.get(); });
        state_.with([](State& state) { state.is_connecting = false; });
        if (stop.stop_requested()) return;  // it may have come too late to be hung up
    }
    const auto before = now().snapshot;
    auto snapshot = std::make_shared<const Snapshot>(take_snapshot(*session, before.get()));
    state_.with([&](State& state) { state.snapshot = std::move(snapshot); });
}

}  // namespace millrace::cli
