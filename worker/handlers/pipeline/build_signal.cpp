#include "handlers/pipeline/build_signal.hpp"

#include "core/duration.hpp"

#include <utility>

namespace millrace::handlers::pipeline {

using storage::pipeline::BuildStatus;
using storage::pipeline::is_terminal;
using storage::pipeline::RequestState;

namespace {

// What succeeds after it has failed is not green.
RequestState outcome_of(const storage::pipeline::Build& build) {
    if (build.status == BuildStatus::cancelled) return RequestState::cancelled;
    return build.status == BuildStatus::succeeded && !build.is_repeated ? RequestState::succeeded
                                                                        : RequestState::failed;
}

Payload only_request(const Work& work) {
    Payload payload;
    payload.queue = work.payload.queue;
    payload.request = work.payload.request;
    return payload;
}

}  // namespace

core::Outcome BuildSignal::advance(const Work& work) {
    auto& builds = work.stores.builds;
    auto build = builds.get(work.build());
    if (build.request != work.payload.request) return core::Discarded{"the build belongs to another request"};
    if (is_terminal(build.status)) return conclude(work, work.stores.queues.lock(work.payload.queue), build);

    auto queue = work.stores.queues.get(work.payload.queue);
    const auto runner = extensions_.build_runner(queue, work.stores, work.traceparent);
    auto report = runner->report(build.key, work.stop);
    const bool is_too_old = !is_terminal(report.status) && build.age > queue.max_validation;
    // Before anything is written, as whoever fails the request closed.
    if (is_terminal(report.status) || is_too_old) queue = work.stores.queues.lock(queue.name);
    if (is_too_old) {
        runner->cancel(build.key, work.stop);
        report.status = BuildStatus::failed;
        report.reason = "took longer than " + core::format_duration(queue.max_validation);
    }
    // A service whose build waits between two of its jobs says so; what has begun has begun.
    if (build.status == BuildStatus::running && report.status == BuildStatus::accepted) report.status = build.status;
    const bool is_news = report.status != build.status;
    build.status = report.status;
    build.reason = std::move(report.reason);
    if (!report.log_location.empty()) build.log_location = std::move(report.log_location);
    if (is_terminal(build.status)) {
        if (!report.target_graph.empty()) builds.keep_target_graph(build.key, report.target_graph);
        return conclude(work, queue, build);
    }
    if (is_news) builds.update(build, storage::pipeline::next(build.version));
    return core::Snoozed{build.status == BuildStatus::accepted ? queue.poll_accepted : queue.poll_running};
}

core::Outcome BuildSignal::conclude(const Work& work, const storage::pipeline::Queue& queue,
                                    const storage::pipeline::Build& build) {
    auto& builds = work.stores.builds;
    // Read again under the lock: a second job that watches the same build may have been faster, and the first answer
    // of a runner stands.
    auto stored = builds.get(build.key);
    if (!is_terminal(stored.status)) {
        builds.update(build, storage::pipeline::next(stored.version));
        stored.status = build.status;
    }
    if (!stored.commit.empty()) {
        return core::Completed{{}, {stage_job(queue, "pipeline.bisect", only_request(work), work.priority)}};
    }
    if (stored.status == BuildStatus::failed) {
        if (const auto run = builds.repeat(build.key)) {
            auto again = only_request(work);
            again.project = stored.project;
            again.run = *run;
            return core::Completed{{}, {stage_job(queue, "pipeline.build", again, work.priority)}};
        }
    }
    core::Completed completed{{}, {stage_job(queue, "pipeline.record", work.payload, work.priority)}};
    if (stored.project.empty() && stored.is_current) end_request(work, queue, stored, completed);
    return completed;
}

void BuildSignal::end_request(const Work& work, const storage::pipeline::Queue& queue,
                              const storage::pipeline::Build& build, core::Completed& completed) {
    auto& requests = work.stores.requests;
    auto request = requests.get(work.request());
    if (!is_terminal(request.state)) {
        request.state = outcome_of(build);
        requests.update(request, storage::pipeline::next(request.version));
    }
    if (const auto waiting = requests.latest_accepted(queue.name)) {
        Payload next;
        next.queue = queue.name;
        next.request = *waiting;
        completed.successors.push_back(stage_job(queue, "pipeline.process", next));
    }
}

}  // namespace millrace::handlers::pipeline
