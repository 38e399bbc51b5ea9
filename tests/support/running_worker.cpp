#include "support/running_worker.hpp"

#include <exception>
#include <utility>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;

class FunctionHandler : public engine::Handler {
public:
    explicit FunctionHandler(RunJob run) : run_{std::move(run)} {}
    core::Outcome run(const core::Job& job, std::stop_token stop) override { return run_(job, std::move(stop)); }

private:
    RunJob run_;
};

class FunctionTransactionalHandler : public engine::TransactionalHandler {
public:
    explicit FunctionTransactionalHandler(RunInTransaction run) : run_{std::move(run)} {}
    core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) override {
        return run_(job, transaction, std::move(stop));
    }

private:
    RunInTransaction run_;
};

}  // namespace

std::unique_ptr<engine::Handler> handler(RunJob run) {
    return std::make_unique<FunctionHandler>(std::move(run));
}

std::unique_ptr<engine::TransactionalHandler> transactional_handler(RunInTransaction run) {
    return std::make_unique<FunctionTransactionalHandler>(std::move(run));
}

engine::WorkerSettings quick_settings() {
    engine::WorkerSettings settings;
    settings.name = "test";
    settings.version = "test";
    settings.queues.push_back({.name = "q", .slots = 4});
    settings.lease = 10s;
    settings.poll_interval = 200ms;
    settings.drain_timeout = 10s;
    settings.stop_grace = 10s;
    return settings;
}

RunningWorker::RunningWorker(const storage::SessionFactory& sessions, engine::Registry registry,
                             engine::WorkerSettings settings, engine::Spans* spans)
    : registry_{std::move(registry)},
      worker_{sessions, registry_, std::move(settings), log_.log(), spans},
      thread_{[this](const std::stop_token& stop) {
          try {
              ending_ = worker_.run(stop);
          } catch (const std::exception&) {
              failure_ = std::current_exception();
          }
      }} {}

RunningWorker::~RunningWorker() = default;

engine::Worker::Ending RunningWorker::await_end() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
    return ending_.value();
}

}  // namespace millrace::testing
