#include "handlers/pipeline/ingest.hpp"

#include <nlohmann/json.hpp>

namespace millrace::handlers::pipeline {

core::Outcome Ingest::advance(const Work& work) {
    auto& queues = work.stores.queues;
    const auto queue = queues.get(work.payload.queue);
    const auto source = extensions_.source_control(queue);
    // Before anything is locked: a remote may take its time.
    auto uri = work.payload.uri;
    if (uri.empty()) {
        uri = source->latest(work.stop);
        // Of two that ask at a time, the one with the older answer may come last: it would stand before the head.
        if (queues.lock(queue.name).latest_request != queue.latest_request) return core::Snoozed{};
    } else {
        [[maybe_unused]] const auto commit = source->commit_of(uri);  // refuses what it cannot read
    }
    const auto request = queues.ingest(queue.name, uri);  // enqueues pipeline.process
    return core::Completed{nlohmann::json{{"request", request.value}, {"uri", uri}}.dump(), {}};
}

}  // namespace millrace::handlers::pipeline
