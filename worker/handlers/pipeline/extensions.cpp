#include "handlers/pipeline/extensions.hpp"

#include "adapters/git_source.hpp"
#include "handlers/pipeline/buildkite.hpp"
#include "handlers/pipeline/command_runner.hpp"
#include "handlers/pipeline/github_actions.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <stdexcept>
#include <utility>

namespace millrace::handlers::pipeline {

Extensions::Extensions(Settings settings)
    : settings_{std::move(settings)}, http_{std::make_unique<adapters::Http>(adapters::Http::Settings{})} {}

std::unique_ptr<adapters::SourceControl> Extensions::source_control(const storage::pipeline::Queue& queue) const {
    if (queue.source_control != "git") {
        throw std::runtime_error{
            fmt::format("{}: this program knows no source control {}", queue.name, queue.source_control)};
    }
    const auto git = nlohmann::json::parse(queue.source_settings);
    return std::make_unique<adapters::GitSource>(
        adapters::GitSource::Settings{.remote = {git.at("remote")},
                                      .branch = {git.at("ref")},
                                      .cache = settings_.cache,
                                      .git = {.environment = settings_.environment}});
}

std::unique_ptr<BuildRunner> Extensions::build_runner(const storage::pipeline::Queue& queue,
                                                      const storage::pipeline::Stores& stores,
                                                      const std::string& traceparent) const {
    if (queue.build_runner == "command") return std::make_unique<CommandRunner>(stores);
    const std::shared_ptr<adapters::SourceControl> source = source_control(queue);
    CommitNames commits = [source](const std::string& uri) { return source->commit_of(uri); };
    const auto settings = nlohmann::json::parse(stores.command_runs.settings(queue.name));
    if (queue.build_runner == "github_actions") {
        return std::make_unique<GithubActions>(
            service("GitHub", settings, traceparent), std::move(commits),
            GithubActions::Settings{settings.at("repository"), settings.at("workflow"), settings.at("ref")});
    }
    if (queue.build_runner == "buildkite") {
        return std::make_unique<Buildkite>(
            service("Buildkite", settings, traceparent), std::move(commits),
            Buildkite::Settings{settings.at("organization"), settings.at("pipeline"), settings.at("branch")});
    }
    throw std::runtime_error{fmt::format("{}: this program knows no build runner {}", queue.name, queue.build_runner)};
}

ServiceClient Extensions::service(const std::string& name, const nlohmann::json& settings,
                                  const std::string& traceparent) const {
    const std::string variable = settings.at("token_env");
    const auto token = settings_.secrets.find(variable);
    if (!token) {
        // Another worker may have it.
        throw BuildRunnerError{BuildRunnerError::Kind::passing,
                               fmt::format("this worker has no variable {} with the token of {}", variable, name)};
    }
    std::vector<adapters::HttpHeader> headers{{"Accept", "application/json"}};
    if (name == "GitHub") {
        headers = {{"Accept", "application/vnd.github+json"}, {"X-GitHub-Api-Version", "2022-11-28"}};
    }
    if (!traceparent.empty()) headers.push_back({"traceparent", traceparent});
    return {*http_,
            {.name = name, .base_url = settings.at("base_url"), .token = *token, .headers = std::move(headers)}};
}

}  // namespace millrace::handlers::pipeline
