#include "handlers/pipeline/build.hpp"

namespace millrace::handlers::pipeline {

core::Outcome Build::advance(const Work& work) {
    constexpr auto whole_repository = "";
    auto& stores = work.stores;
    const auto queue = stores.queues.lock(work.payload.queue);  // two jobs of one request trigger one build
    const auto request = stores.requests.get(work.request());
    auto build = stores.builds.find(request.key, whole_repository);
    if (!build) {
        if (request.state != storage::pipeline::RequestState::processing) return core::Completed{};
        const auto runner = extensions_.build_runner(queue, stores);
        build = runner->trigger({request.key, whole_repository, request.base_uri, request.uri}, work.stop);
        storage::pipeline::Build minted;
        minted.key = {queue.name, *build};
        minted.request = request.key.number;
        stores.builds.create(minted);
    }
    auto payload = work.payload;
    payload.build = *build;
    return core::Completed{{}, {stage_job(queue, "pipeline.buildsignal", payload)}};
}

}  // namespace millrace::handlers::pipeline
