#include "handlers/pipeline/buildkite.hpp"

#include "handlers/pipeline/service_answers.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string_view>
#include <utility>

namespace millrace::handlers::pipeline {

using nlohmann::json;
using storage::pipeline::BuildStatus;
using Kind = BuildRunnerError::Kind;

namespace {

constexpr std::string_view buildkite_prefix = "buildkite/";

BuildStatus status_of(const std::string& state) {
    if (state == "creating" || state == "scheduled") return BuildStatus::accepted;
    // `failing` has failed and `canceling` was called off, but neither has ended.
    for (const auto* going : {"running", "failing", "canceling", "blocked"})
        if (state == going) return BuildStatus::running;
    if (state == "passed") return BuildStatus::succeeded;
    return state == "canceled" ? BuildStatus::cancelled : BuildStatus::failed;
}

json targets_of(const json& build) {
    json targets = json::array();
    for (const auto& job : list_in(build, "jobs")) {
        auto name = text_in(job, "name");
        if (name.empty()) continue;  // steps that wait or block have none, and build nothing
        const auto state = text_in(job, "state");
        targets.push_back({{"name", std::move(name)},
                           {"status", state == "passed"                          ? "passed"
                                      : state == "skipped" || state == "not_run" ? "skipped"
                                                                                 : "failed"}});
    }
    return targets;
}

}  // namespace

Buildkite::Buildkite(ServiceClient client, CommitNames commits, Settings settings)
    : client_{std::move(client)},
      commits_{std::move(commits)},
      settings_{std::move(settings)},
      path_{fmt::format("/v2/organizations/{}/pipelines/{}/builds", adapters::percent_encoded(settings_.organization),
                        adapters::percent_encoded(settings_.pipeline))} {}

std::string Buildkite::trigger(const BuildOrder& order, const std::stop_token& stop) {
    const auto base = order.base_uri.value_or("");
    const auto head = commits_(order.head_uri);
    const json body{
        {"commit", head},
        {"branch", settings_.branch},
        {"message", fmt::format("millrace: {} request {}{}", order.request.queue, order.request.number.value,
                                order.project.empty() ? "" : ", " + order.project)},
        {"env",
         {{"HEAD_SHA", head},
          {"BASE_SHA", base.empty() ? "" : commits_(base)},
          {"HEAD_URI", order.head_uri},
          {"BASE_URI", base},
          {"PROJECT", order.project}}}};
    const auto number = number_in(client_.call({"POST", path_, body.dump()}, {201}, stop), "number");
    if (!number) throw BuildRunnerError{Kind::lasting, "Buildkite made a build and did not say which"};
    return fmt::format("{}{}", buildkite_prefix, *number);
}

BuildReport Buildkite::report(const storage::pipeline::BuildKey& build, const std::stop_token& stop) {
    const auto answer =
        client_.call({"GET", fmt::format("{}/{}", path_, number_of(build.id, buildkite_prefix)), ""}, {200}, stop);
    const auto state = text_in(answer, "state");
    if (state.empty()) throw BuildRunnerError{Kind::passing, "Buildkite did not say how far the build is"};
    BuildReport report;
    report.status = status_of(state);
    report.log_location = text_in(answer, "web_url");
    if (!is_terminal(report.status)) return report;
    const auto targets = targets_of(answer);
    report.reason = fmt::format("the build ended as {}{}", state, failed_names(targets));
    report.target_graph = json{{"targets", targets}}.dump();
    return report;
}

void Buildkite::cancel(const storage::pipeline::BuildKey& build, const std::stop_token& stop) {
    // 404: there is nothing to call off; 422: it has ended.
    static_cast<void>(client_.call(
        {"PUT", fmt::format("{}/{}/cancel", path_, number_of(build.id, buildkite_prefix)), ""}, {200, 404, 422}, stop));
}

}  // namespace millrace::handlers::pipeline
