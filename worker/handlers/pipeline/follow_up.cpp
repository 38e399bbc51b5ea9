#include "handlers/pipeline/follow_up.hpp"

#include <nlohmann/json.hpp>

namespace millrace::handlers::pipeline {

using nlohmann::json;

core::Outcome Analyze::advance(const Work& work) {
    if (!work.stores.builds.get(work.build()).is_current) return core::Completed{};
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

}  // namespace millrace::handlers::pipeline
