#include "engine/wakener.hpp"

#include "engine/pause.hpp"
#include "storage/error.hpp"

#include <utility>

namespace millrace::engine {
namespace {

using News = storage::Announcement::News;

constexpr std::chrono::minutes longest_wait{1};  // of one poll; nothing depends on it

}  // namespace

Wakener::Wakener(std::string conninfo, Bells bells, OnCancelling on_cancelling, OnChore on_chore, Stats& stats,
                 ops::Log& log)
    : conninfo_{std::move(conninfo)},
      bells_{std::move(bells)},
      on_cancelling_{std::move(on_cancelling)},
      on_chore_{std::move(on_chore)},
      stats_{stats},
      log_{log} {}

void Wakener::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        try {
            listen(stop);
        } catch (const storage::ConnectionLost& reason) {
            log_.write(ops::Level::warning, "connection lost", {{"purpose", "listener"}, {"reason", reason.what()}});
            pause(stop, backoff_.next());
        }
    }
}

void Wakener::await_listening(const std::stop_token& stop, std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, stop, patience, [&] { return listening_; });
}

void Wakener::listen(const std::stop_token& stop) {
    std::vector<std::string> queues;
    for (const auto& [queue, bell] : bells_)
        queues.push_back(queue);
    storage::Listener listener{conninfo_, queues};
    backoff_.reset();
    {
        const std::lock_guard lock{mutex_};
        if (std::exchange(listening_, true)) ++stats_.reconnects;
        changed_.notify_all();
    }
    log_.write(ops::Level::info, "listening");
    for (const auto& [queue, bell] : bells_)
        bell->ring(Ring::flagless);  // that it was lowered may have been missed, too
    on_cancelling_(std::nullopt);
    for (const auto news : {News::scheduled, News::schedules, News::schemas})
        on_chore_(news);

    while (!stop.stop_requested()) {
        for (const auto& [queue, news, session] : listener.wait(stop, longest_wait)) {
            switch (news) {
                case News::cancelling:
                    on_cancelling_(session);
                    break;
                case News::scheduled:
                case News::schedules:
                case News::schemas:
                    on_chore_(news);
                    break;
                case News::jobs:
                case News::lowered:
                    const auto found = bells_.find(queue);
                    if (found != bells_.end()) found->second->ring(news == News::lowered ? Ring::flagless : Ring::jobs);
                    break;
            }
        }
    }
}

}  // namespace millrace::engine
