#include "handlers/pipeline/process.hpp"

#include <utility>

namespace millrace::handlers::pipeline {

using adapters::SourceControl;
using storage::pipeline::BuildStrategy;
using storage::pipeline::Queue;
using storage::pipeline::Request;
using storage::pipeline::RequestState;

core::Outcome Process::advance(const Work& work) {
    auto& queues = work.stores.queues;
    auto& requests = work.stores.requests;
    // The source control is asked first, because it may have to fetch, and the lock keeps all other stages of this
    // pipeline queue waiting. The answer holds as long as the last green is the one that it was about.
    const auto seen = queues.get(work.payload.queue);
    const auto candidate = requests.get(work.request());
    const bool may_be_admitted =
        candidate.state == RequestState::accepted &&
        (seen.latest_request == work.payload.request || candidate.attempt > 1) &&  // one that an operator wants again
        requests.count_processing(seen.name) < seen.max_concurrent;
    const auto admission = may_be_admitted && !candidate.strategy ? look(seen, candidate, work.stop) : Admission{};

    const auto queue = queues.lock(work.payload.queue);
    requests.supersede_before({queue.name, queue.latest_request});
    auto request = requests.get(work.request());
    if (request.state == RequestState::accepted) {
        if (requests.count_processing(queue.name) >= queue.max_concurrent) return core::Completed{};
        if (!may_be_admitted || queue.last_green_uri != seen.last_green_uri) {
            return core::Snoozed{};  // a slot was freed, or a head became green, since we looked
        }
        request.state = RequestState::processing;
        if (!request.strategy) {  // pinned for all attempts
            request.strategy = admission.is_incremental ? BuildStrategy::incremental_since_green : BuildStrategy::full;
            if (admission.is_incremental) request.base_uri = queue.last_green_uri;
            request.committed = admission.committed;
        }
        requests.update(request, storage::pipeline::next(request.version));
        if (!admission.history.empty()) requests.note_history(request.key, admission.history);
    }
    if (request.state != RequestState::processing) return core::Completed{};
    auto payload = work.payload;
    payload.run = request.first_run;
    return core::Completed{{}, {stage_job(queue, "pipeline.build", payload)}};
}

// Of the very first heads nothing is to be known, and a repository that is out of reach does not keep them waiting.
Process::Admission Process::look(const Queue& queue, const Request& request, const std::stop_token& stop) const {
    if (!queue.last_green_uri) return {};
    const auto source = extensions_.source_control(queue);
    Admission admission;
    admission.is_incremental =
        source->ancestry({*queue.last_green_uri, request.uri}, stop) == SourceControl::Ancestry::ancestor;
    auto history = source->history(request.uri, SourceControl::most_changes, stop);
    for (auto& change : history.changes) {
        if (!admission.committed) {  // of the head itself
            admission.committed = change.committed;
        } else if (change.uri == *queue.last_green_uri) {
            break;
        } else {
            admission.history.push_back(std::move(change.uri));
        }
    }
    return admission;
}

}  // namespace millrace::handlers::pipeline
