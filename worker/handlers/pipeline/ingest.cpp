#include "handlers/pipeline/ingest.hpp"

#include <nlohmann/json.hpp>

namespace millrace::handlers::pipeline {

core::Outcome Ingest::advance(const Work& work) {
    const auto queue = work.stores.queues.get(work.payload.queue);
    const auto source = extensions_.source_control(queue);
    // Before anything is locked: a remote may take its time.
    auto uri = work.payload.uri;
    if (uri.empty()) {
        uri = source->latest(work.stop);
    } else {
        [[maybe_unused]] const auto commit = source->commit_of(uri);  // refuses what it cannot read
    }
    const auto request = work.stores.queues.ingest(queue.name, uri);  // enqueues pipeline.process
    return core::Completed{nlohmann::json{{"request", request.value}, {"uri", uri}}.dump(), {}};
}

}  // namespace millrace::handlers::pipeline
