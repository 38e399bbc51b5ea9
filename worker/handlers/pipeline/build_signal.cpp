#include "handlers/pipeline/build_signal.hpp"

#include "core/duration.hpp"

#include <fmt/format.h>

#include <algorithm>
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
    auto [report, patience] = look(work, queue, build);
    const bool is_too_old = !is_terminal(report.status) && build.age > queue.max_validation;
    // Before anything is written, as whoever fails the request closed.
    if (is_terminal(report.status) || is_too_old) queue = work.stores.queues.lock(queue.name);
    Refusal refusal;
    if (is_too_old) {
        refusal = call_off(work, queue);
        // Nobody is blamed for a build that a search could not wait for.
        report.status = build.commit.empty() ? BuildStatus::failed : BuildStatus::cancelled;
        report.reason = fmt::format("took longer than {}{}{}{}", core::format_duration(queue.max_validation),
                                    report.reason.empty() ? "" : "; ", report.reason, refusal.reason);
    }
    // A service whose build waits between two of its jobs says so; what has begun has begun.
    if (build.status == BuildStatus::running && report.status == BuildStatus::accepted) report.status = build.status;
    const bool is_news = report.status != build.status || report.reason != build.reason;
    build.status = report.status;
    build.reason = std::move(report.reason);
    if (!report.log_location.empty()) build.log_location = std::move(report.log_location);
    if (is_terminal(build.status)) {
        if (!report.target_graph.empty()) builds.keep_target_graph(build.key, report.target_graph);
        auto completed = conclude(work, queue, build);
        if (refusal.is_passing) completed.successors.push_back(stage_job(queue, "pipeline.calloff", work.payload));
        return completed;
    }
    if (is_news) builds.update(build, storage::pipeline::next(build.version));
    const auto poll = build.status == BuildStatus::accepted ? queue.poll_accepted : queue.poll_running;
    return core::Snoozed{std::max(poll, patience)};
}

// To fail would be an attempt, and an outage of an afternoon a dead letter. So it is no news of the build, which grows
// older all the same.
BuildSignal::Look BuildSignal::look(const Work& work, const storage::pipeline::Queue& queue,
                                    const storage::pipeline::Build& build) const {
    try {
        return {extensions_.build_runner(queue, work.stores, work.traceparent)->report(build.key, work.stop)};
    } catch (const BuildRunnerError& error) {
        if (error.kind() == BuildRunnerError::Kind::lasting || work.stop.stop_requested()) throw;
        Look look;
        look.report.status = build.status;
        look.report.reason = error.what();
        look.patience = error.retry_in().value_or(std::chrono::milliseconds{0});
        return look;
    }
}

BuildSignal::Refusal BuildSignal::call_off(const Work& work, const storage::pipeline::Queue& queue) const {
    try {
        extensions_.build_runner(queue, work.stores, work.traceparent)->cancel(work.build(), work.stop);
        return {};
    } catch (const BuildRunnerError& error) {
        if (work.stop.stop_requested()) throw;
        return {std::string{"; "} + error.what(), error.kind() == BuildRunnerError::Kind::passing};
    }
}

core::Completed BuildSignal::conclude(const Work& work, const storage::pipeline::Queue& queue,
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
