#include "handlers/pipeline/record.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace millrace::handlers::pipeline {

using storage::pipeline::BuildStatus;
using storage::pipeline::Fact;

namespace {

constexpr double green = 0;
constexpr double broken = 1;

// The fact that stands: this one, or the one that was there.
Fact settle(storage::pipeline::FactStore& facts, const Fact& fact) {
    try {
        facts.create(fact);
        return fact;
    } catch (const storage::pipeline::AlreadyExists&) {
        return facts.get(fact.key);
    }
}

}  // namespace

core::Outcome Record::advance(const Work& work) {
    auto& [queues, requests, builds, facts, command_runs] = work.stores;
    const auto build = builds.get(work.build());
    if (build.request != work.payload.request) return core::Discarded{"the build belongs to another request"};
    if (build.status == BuildStatus::cancelled) return core::Completed{};
    if (!storage::pipeline::is_terminal(build.status)) return core::Discarded{"the build has not ended"};

    auto queue = queues.lock(work.payload.queue);
    const auto request = requests.get(work.request());
    const auto fact = settle(facts, {.key = {queue.name, request.uri, build.project},
                                     .degree = build.status == BuildStatus::succeeded ? green : broken,
                                     .request = request.key.number});
    if (fact.request != request.key.number) {
        return core::Discarded{fmt::format("{} has a verdict of request {} already", request.uri, fact.request.value)};
    }
    if (fact.degree == green && build.project.empty() && queue.last_green_request < request.key.number) {
        queue.last_green_request = request.key.number;
        queue.last_green_uri = request.uri;
        queues.update(queue, storage::pipeline::next(queue.version));
    }
    return core::Completed{nlohmann::json{{"uri", request.uri}, {"degree", fact.degree}}.dump(), {}};
}

}  // namespace millrace::handlers::pipeline
