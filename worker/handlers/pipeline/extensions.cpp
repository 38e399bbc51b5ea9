#include "handlers/pipeline/extensions.hpp"

#include "adapters/git_source.hpp"
#include "handlers/pipeline/command_runner.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <stdexcept>

namespace millrace::handlers::pipeline {

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
                                                      storage::pipeline::Stores& stores) const {
    if (queue.build_runner != "command") {
        throw std::runtime_error{
            fmt::format("{}: this program knows no build runner {}", queue.name, queue.build_runner)};
    }
    return std::make_unique<CommandRunner>(stores);
}

}  // namespace millrace::handlers::pipeline
