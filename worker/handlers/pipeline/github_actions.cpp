#include "handlers/pipeline/github_actions.hpp"

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

constexpr std::string_view github_prefix = "github/";
constexpr int page_size = 100;
constexpr int max_pages = 10;  // of the jobs of a run

BuildStatus status_of(const std::string& status, const std::string& conclusion) {
    if (status != "completed") return status == "in_progress" ? BuildStatus::running : BuildStatus::accepted;
    if (conclusion == "success") return BuildStatus::succeeded;
    return conclusion == "cancelled" ? BuildStatus::cancelled : BuildStatus::failed;
}

std::string repository_path(const std::string& repository) {
    const auto slash = repository.find('/');
    return fmt::format("/repos/{}/{}", adapters::percent_encoded(repository.substr(0, slash)),
                       adapters::percent_encoded(repository.substr(slash + 1)));
}

}  // namespace

GithubActions::GithubActions(ServiceClient client, CommitNames commits, Settings settings)
    : client_{std::move(client)},
      commits_{std::move(commits)},
      settings_{std::move(settings)},
      path_{repository_path(settings_.repository)} {}

std::string GithubActions::trigger(const BuildOrder& order, const std::stop_token& stop) {
    const auto base = order.base_uri.value_or("");
    const json body{{"ref", settings_.ref},
                    {"inputs",
                     {{"head_sha", commits_(order.head_uri)},
                      {"base_sha", base.empty() ? "" : commits_(base)},
                      {"head_uri", order.head_uri},
                      {"base_uri", base},
                      {"project", order.project}}},
                    {"return_run_details", true}};
    const auto path =
        fmt::format("{}/actions/workflows/{}/dispatches", path_, adapters::percent_encoded(settings_.workflow));
    const auto answer = client_.call({"POST", path, body.dump()}, {200, 204}, stop);
    const auto run = number_in(answer, "workflow_run_id");
    // Without it nobody could tell which run is ours.
    if (!run) throw BuildRunnerError{Kind::lasting, "GitHub started a run and did not say which: it is too old"};
    return fmt::format("{}{}", github_prefix, *run);
}

BuildReport GithubActions::report(const storage::pipeline::BuildKey& build, const std::stop_token& stop) {
    const auto path = run_path(build);
    const auto run = client_.call({"GET", path, ""}, {200}, stop);
    const auto status = text_in(run, "status");
    const auto conclusion = text_in(run, "conclusion");
    if (status.empty()) throw BuildRunnerError{Kind::passing, "GitHub did not say how far the run is"};
    BuildReport report;
    report.status = status_of(status, conclusion);
    report.log_location = text_in(run, "html_url");
    if (!is_terminal(report.status)) return report;
    const auto targets = jobs_of(path, stop);
    report.reason =
        fmt::format("the run ended with {}{}", conclusion.empty() ? "nothing" : conclusion, failed_names(targets));
    report.target_graph = json{{"targets", targets}}.dump();
    return report;
}

json GithubActions::jobs_of(const std::string& run, const std::stop_token& stop) const {
    json targets = json::array();
    for (int page = 1; page <= max_pages; ++page) {
        const auto answer =
            client_.call({"GET", fmt::format("{}/jobs?per_page={}&page={}", run, page_size, page), ""}, {200}, stop);
        const auto jobs = list_in(answer, "jobs");
        for (const auto& job : jobs) {
            const auto conclusion = text_in(job, "conclusion");
            targets.push_back({{"name", text_in(job, "name")},
                               {"status", conclusion == "success"   ? "passed"
                                          : conclusion == "skipped" ? "skipped"
                                                                    : "failed"}});
        }
        if (jobs.size() < page_size) break;
    }
    return targets;
}

void GithubActions::cancel(const storage::pipeline::BuildKey& build, const std::stop_token& stop) {
    // 404: there is nothing to call off; 409: it has ended.
    static_cast<void>(client_.call({"POST", run_path(build) + "/cancel", ""}, {202, 404, 409}, stop));
}

std::string GithubActions::run_path(const storage::pipeline::BuildKey& build) const {
    return fmt::format("{}/actions/runs/{}", path_, number_of(build.id, github_prefix));
}

}  // namespace millrace::handlers::pipeline
