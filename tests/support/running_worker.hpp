#pragma once
// A worker on a thread of this process, with handlers made of functions.
//
// Thread rule: one thread.

#include "engine/worker.hpp"
#include "support/log_watch.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace millrace::testing {

using RunJob = std::function<core::Outcome(const core::Job&, std::stop_token)>;
using RunInTransaction = std::function<core::Outcome(const core::Job&, storage::Transaction&, std::stop_token)>;

[[nodiscard]] std::unique_ptr<engine::Handler> handler(RunJob run);
[[nodiscard]] std::unique_ptr<engine::TransactionalHandler> transactional_handler(RunInTransaction run);

// One queue "q" with four slots, a lease of ten seconds, polls every fifth of a second.
[[nodiscard]] engine::WorkerSettings quick_settings();

class RunningWorker {
public:
    RunningWorker(const storage::SessionFactory& sessions, engine::Registry registry,
                  engine::WorkerSettings settings = quick_settings(), engine::Spans* spans = nullptr);
    ~RunningWorker();  // stops it
    RunningWorker(const RunningWorker&) = delete;
    RunningWorker& operator=(const RunningWorker&) = delete;

    void adjust(engine::WorkerSettings settings) { worker_.adjust(std::move(settings)); }
    void request_stop() { thread_.request_stop(); }
    engine::Worker::Ending stop() {
        request_stop();
        return await_end();
    }
    // Rethrows what run() threw.
    engine::Worker::Ending await_end();

    [[nodiscard]] const engine::Worker& worker() const noexcept { return worker_; }
    [[nodiscard]] const engine::Registry& registry() const noexcept { return registry_; }
    [[nodiscard]] const engine::Stats& stats() const { return worker_.stats(); }
    [[nodiscard]] LogWatch& log() { return log_; }

private:
    LogWatch log_;
    engine::Registry registry_;
    engine::Worker worker_;
    std::optional<engine::Worker::Ending> ending_;
    std::exception_ptr failure_;
    std::jthread thread_;
};

}  // namespace millrace::testing
