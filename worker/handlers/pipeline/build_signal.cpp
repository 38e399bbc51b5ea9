#include "handlers/pipeline/build_signal.hpp"

#include "core/duration.hpp"

#include <utility>

namespace millrace::handlers::pipeline {

using storage::pipeline::BuildStatus;
using storage::pipeline::is_terminal;
using storage::pipeline::RequestState;

namespace {

RequestState outcome_of(BuildStatus status) {
    switch (status) {
        case BuildStatus::succeeded:
            return RequestState::succeeded;
        case BuildStatus::cancelled:
            return RequestState::cancelled;
        default:
            return RequestState::failed;
    }
}

}  // namespace

core::Outcome BuildSignal::advance(const Work& work) {
    auto& builds = work.stores.builds;
    auto build = builds.get(work.build());
    if (build.request != work.payload.request) return core::Discarded{"the build belongs to another request"};
    if (is_terminal(build.status)) return conclude(work, build);

    const auto queue = work.stores.queues.get(work.payload.queue);
    const auto runner = extensions_.build_runner(queue, work.stores);
    auto report = runner->report(build.key, work.stop);
    if (!is_terminal(report.status) && build.age > queue.max_validation) {
        runner->cancel(build.key, work.stop);
        report = {BuildStatus::failed, "took longer than " + core::format_duration(queue.max_validation)};
    }
    const bool is_news = report.status != build.status;
    build.status = report.status;
    build.reason = std::move(report.reason);
    if (is_terminal(build.status)) return conclude(work, build);
    if (is_news) builds.update(build, storage::pipeline::next(build.version));
    return core::Snoozed{build.status == BuildStatus::accepted ? queue.poll_accepted : queue.poll_running};
}

core::Outcome BuildSignal::conclude(const Work& work, const storage::pipeline::Build& build) {
    auto& [queues, requests, builds, facts, command_runs] = work.stores;
    const auto queue = queues.lock(work.payload.queue);
    // Read again under the lock: a second job that watches the same build may have been faster, and the first answer
    // of a runner stands.
    const auto stored = builds.get(build.key);
    if (!is_terminal(stored.status)) builds.update(build, storage::pipeline::next(stored.version));

    auto request = requests.get(work.request());
    if (!is_terminal(request.state)) {
        request.state = outcome_of(is_terminal(stored.status) ? stored.status : build.status);
        requests.update(request, storage::pipeline::next(request.version));
    }
    core::Completed completed{{}, {stage_job(queue, "pipeline.record", work.payload)}};
    if (const auto waiting = requests.latest_accepted(queue.name)) {
        Payload next;
        next.queue = queue.name;
        next.request = *waiting;
        completed.successors.push_back(stage_job(queue, "pipeline.process", next));
    }
    return completed;
}

}  // namespace millrace::handlers::pipeline
