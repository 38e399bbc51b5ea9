#include "handlers/pipeline/command_runner.hpp"

#include <utility>

namespace millrace::handlers::pipeline {

std::string CommandRunner::trigger(const BuildOrder& order, const std::stop_token&) {
    storage::pipeline::CommandRun run;
    run.key.queue = order.request.queue;
    run.request = order.request.number;
    run.project = order.project;
    run.run = order.run;
    run.base_uri = order.base_uri;
    run.head_uri = order.head_uri;
    return stores_.command_runs.trigger(run);
}

BuildReport CommandRunner::report(const storage::pipeline::BuildKey& build, const std::stop_token&) {
    auto report = stores_.command_runs.report(build);
    return {.status = report.status,
            .reason = std::move(report.reason),
            .target_graph = report.target_graph.value_or(""),
            .log_location = "millrace pipeline log " + build.id + " --queue " + build.queue};
}

void CommandRunner::cancel(const storage::pipeline::BuildKey& build, const std::stop_token&) {
    stores_.command_runs.cancel(build);
}

}  // namespace millrace::handlers::pipeline
