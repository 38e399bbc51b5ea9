#include "handlers/pipeline/follow_up.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <tuple>
#include <utility>

namespace millrace::handlers::pipeline {

using nlohmann::json;
using storage::pipeline::BuildStatus;

core::Outcome Analyze::advance(const Work& work) {
    const auto build = work.stores.builds.get(work.build());
    const auto request = work.stores.requests.get(work.request());
    if (request.is_failed_closed) return core::Completed{};
    // An operator may want projects again of a commit that is green: then an older build is what there is to go by.
    if (!build.is_current && work.payload.run < request.first_run) return core::Completed{};
    const auto projects = work.stores.requests.begin_projects(work.request(), work.payload.build);
    return core::Completed{json{{"projects", projects}}.dump(), {}};
}

core::Outcome Bisect::advance(const Work& work) {
    const auto state = work.stores.requests.search_on(work.request());
    return core::Completed{json{{"search", state.value_or("none")}}.dump(), {}};
}

core::Outcome Tell::advance(const Work& work) {
    const bool is_told = work.stores.hooks.tell(work.payload.event, work.payload.sink);
    return core::Completed{json{{"told", is_told}}.dump(), {}};
}

core::Outcome CallOff::advance(const Work& work) {
    auto& builds = work.stores.builds;
    // Whatever its status: one that took too long has failed, and its runner may not know yet.
    std::ignore = builds.get(work.build());
    std::string reason = "called off";
    try {
        const auto seen = work.stores.queues.get(work.payload.queue);
        extensions_.build_runner(seen, work.stores, work.traceparent)->cancel(work.build(), work.stop);
    } catch (const BuildRunnerError& error) {
        if (error.kind() == BuildRunnerError::Kind::passing) throw;
        reason += std::string{"; "} + error.what();
    }
    std::ignore = work.stores.queues.lock(work.payload.queue);
    auto build = builds.get(work.build());  // which may have ended by itself meanwhile
    if (!is_terminal(build.status)) {
        build.status = BuildStatus::cancelled;
        build.reason = std::move(reason);
        builds.update(build, storage::pipeline::next(build.version));
    }
    return core::Completed{};
}

}  // namespace millrace::handlers::pipeline
