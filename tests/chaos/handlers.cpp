#include "chaos/handlers.hpp"

#include "engine/pause.hpp"
#include "storage/translation.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <utility>

namespace millrace::chaos {
namespace {

using core::Job;
using core::Outcome;

int number(const Job& job, const char* name) {
    return nlohmann::json::parse(job.payload).value(name, 0);
}

class Plain final : public engine::Handler {
public:
    using Behaviour = std::function<Outcome(const Job&, const std::stop_token&)>;

    Plain(SideLog& log, Behaviour behaviour) : log_{log}, behaviour_{std::move(behaviour)} {}

    Outcome run(const Job& job, std::stop_token stop) override {
        log_.write("begin", job);
        auto outcome = behaviour_(job, stop);
        log_.write(core::name_of(outcome), job);
        return outcome;
    }

private:
    SideLog& log_;
    const Behaviour behaviour_;
};

class Ledger final : public engine::TransactionalHandler {
public:
    explicit Ledger(SideLog& log) : log_{log} {}

    Outcome run(const Job& job, storage::Transaction& transaction, std::stop_token) override {
        log_.write("begin", job);
        storage::execute(transaction, "insert into public.ledger (job, fence) values ($1, $2)", job.id.value,
                         job.fence.value);
        log_.write("completed", job);
        return core::Completed{};
    }

private:
    SideLog& log_;
};

Outcome run_slow(const Job& job, const std::stop_token& stop) {
    engine::pause(stop, std::chrono::milliseconds{number(job, "ms")});
    if (stop.stop_requested()) return core::Failed{"stopped", {}};
    return core::Completed{};
}

Outcome run_chain(const Job& job, const std::stop_token&) {
    const auto left = number(job, "length");
    if (left <= 0) return core::Completed{};
    return core::Completed{
        "", {{job.queue, "chaos.chain", fmt::format(R"({{"after": {}, "length": {}}})", job.id.value, left - 1)}}};
}

}  // namespace

void add_handlers(engine::Registry& registry, SideLog& log) {
    const auto add = [&](const char* kind, Plain::Behaviour behaviour) {
        registry.add(kind, std::make_unique<Plain>(log, std::move(behaviour)));
    };
    add("chaos.fast", [](const Job&, const std::stop_token&) { return core::Completed{}; });
    add("chaos.slow", run_slow);
    add("chaos.flaky", [](const Job& job, const std::stop_token&) -> Outcome {
        if (job.attempt <= number(job, "fails")) return core::Failed{"flaky", {}};
        return core::Completed{};
    });
    add("chaos.hopeless", [](const Job&, const std::stop_token&) { return core::Failed{"hopeless", {}}; });
    add("chaos.discard", [](const Job&, const std::stop_token&) { return core::Discarded{"not for us"}; });
    add("chaos.snooze", [](const Job& job, const std::stop_token&) -> Outcome {
        // The low half of a fence is random, and another one for each claim.
        if (job.fence.value % 2 == 0) return core::Snoozed{std::chrono::milliseconds{20}};
        return core::Completed{};
    });
    add("chaos.chain", run_chain);
    registry.add("chaos.ledger", std::make_unique<Ledger>(log));
}

}  // namespace millrace::chaos
