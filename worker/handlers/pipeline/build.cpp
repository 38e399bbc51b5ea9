#include "handlers/pipeline/build.hpp"

namespace millrace::handlers::pipeline {

using storage::pipeline::RequestState;

core::Outcome Build::advance(const Work& work) {
    const auto& wanted = work.payload;
    auto& stores = work.stores;
    const auto queue = stores.queues.lock(wanted.queue);  // two jobs of one run trigger one build
    const auto request = stores.requests.get(work.request());
    const auto run = wanted.run == 0 ? request.first_run : wanted.run;
    auto build = stores.builds.find(request.key, wanted.project, run);
    if (!build) {
        // Projects and searches come after the verdict on the head, when the request has ended.
        const bool is_of_the_head = wanted.project.empty() && wanted.uri.empty();
        if (run < request.first_run || (is_of_the_head && request.state != RequestState::processing)) {
            return core::Completed{};
        }
        const auto commit = wanted.uri.empty() ? request.uri : wanted.uri;
        const auto runner = extensions_.build_runner(queue, stores, work.traceparent);
        build = runner->trigger({request.key, wanted.project, run, request.base_uri, commit}, work.stop);
        storage::pipeline::Build minted;
        minted.key = {queue.name, *build};
        minted.request = request.key.number;
        minted.project = wanted.project;
        minted.run = run;
        minted.commit = wanted.uri;
        stores.builds.create(minted);
    }
    Payload watched;
    watched.queue = queue.name;
    watched.request = request.key.number;
    watched.build = *build;
    return core::Completed{{}, {stage_job(queue, "pipeline.buildsignal", watched, work.priority)}};
}

}  // namespace millrace::handlers::pipeline
