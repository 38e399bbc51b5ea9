// A worker like `millrace worker` with three kinds of the benchmark's own instead of the built-in ones.
//
//     bench_worker --queue work=SLOTS [worker's other flags]
//
//     bench.effect    writes a row of public.effect in the transaction that settles its job
//     bench.chain     enqueues a job like itself in the transaction that settles it, until its payload says 0
//     bench.start     its result is the time at which its handler was called: {"ms": since the epoch}

#include "engine/worker.hpp"
#include "cli/signals.hpp"
#include "engine/registry.hpp"
#include "options.hpp"
#include "storage/session.hpp"
#include "storage/translation.hpp"
#include "support/until_signal.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>

namespace {

using namespace millrace;

class Effect final : public engine::TransactionalHandler {
public:
    core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token) override {
        storage::execute(transaction, "insert into public.effect (job) values ($1)", job.id.value);
        return core::Completed{};
    }
};

class Chain final : public engine::TransactionalHandler {
public:
    core::Outcome run(const core::Job& job, storage::Transaction&, std::stop_token) override {
        const int left = std::stoi(job.payload);
        if (left == 0) return core::Completed{};
        return core::Completed{
            .result = {}, .successors = {{.queue = job.queue, .kind = job.kind, .payload = std::to_string(left - 1)}}};
    }
};

class Start final : public engine::Handler {
public:
    core::Outcome run(const core::Job&, std::stop_token) override {
        const std::chrono::duration<double, std::milli> now = std::chrono::system_clock::now().time_since_epoch();
        return core::Completed{.result = fmt::format(R"({{"ms": {:.3f}}})", now.count()), .successors = {}};
    }
};

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> words{"worker"};
    words.insert(words.end(), argv + 1, argv + argc);
    const auto options = read_options(words, process_environment());
    cli::Signals signals;
    ops::Log log{ops::Log::Format::json, stderr, ops::Level::warning};
    const storage::SessionFactory sessions{options.database_url};
    engine::Registry registry;
    registry.add("bench.effect", std::make_unique<Effect>());
    registry.add("bench.chain", std::make_unique<Chain>());
    registry.add("bench.start", std::make_unique<Start>());
    engine::Worker worker{sessions, registry, options.worker, log};
    return testing::work_until_signal(worker, signals, log);
}
