#include "handlers/pipeline/record.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace millrace::handlers::pipeline {

using storage::pipeline::BuildStatus;
using storage::pipeline::Fact;
using storage::pipeline::RequestState;

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
    auto& queues = work.stores.queues;
    auto& requests = work.stores.requests;
    auto& facts = work.stores.facts;
    const auto build = work.stores.builds.get(work.build());
    if (build.request != work.payload.request) return core::Discarded{"the build belongs to another request"};
    if (!storage::pipeline::is_terminal(build.status)) return core::Discarded{"the build has not ended"};
    if (!build.is_current) return core::Completed{};  // nobody believes it any more

    auto queue = queues.lock(work.payload.queue);
    if (build.status == BuildStatus::cancelled) {
        if (!build.project.empty()) requests.call_off_project(work.request(), build.project);
        return core::Completed{};
    }
    const auto request = requests.get(work.request());
    if (build.project.empty() && request.is_failed_closed) return core::Completed{};
    const bool succeeded = build.status == BuildStatus::succeeded;
    const bool is_green = succeeded && !build.is_repeated;
    // It has failed closed before this was recorded: nothing makes it green but another attempt.
    if (is_green && build.project.empty() && request.state != RequestState::succeeded) return core::Completed{};
    const auto fact = settle(facts, {.key = {queue.name, request.uri, build.project},
                                     .degree = is_green ? green : broken,
                                     .request = request.key.number,
                                     .is_flaky = succeeded && build.is_repeated});
    if (fact.request != request.key.number) {
        return core::Discarded{fmt::format("{} has a verdict of request {} already", request.uri, fact.request.value)};
    }
    if (fact.degree == green && build.project.empty() && queue.last_green_request < request.key.number) {
        queue.last_green_request = request.key.number;
        queue.last_green_uri = request.uri;
        queues.update(queue, storage::pipeline::next(queue.version));
    }
    facts.announce(fact);
    core::Completed completed{nlohmann::json{{"uri", request.uri}, {"degree", fact.degree}}.dump(), {}};
    if (build.project.empty()) completed.successors.push_back(stage_job(queue, "pipeline.analyze", work.payload));
    return completed;
}

}  // namespace millrace::handlers::pipeline
