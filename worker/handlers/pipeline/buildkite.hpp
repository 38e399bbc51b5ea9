#pragma once
// The build runner `buildkite`: a build is a build of a pipeline there.
//
//     {"organization": "acme", "pipeline": "shop", "branch": "main", "token_env": "PIPELINE_BUILDKITE_TOKEN",
//      "base_url": "https://api.buildkite.com"}
//
// The commit is built at the branch's name, with HEAD_SHA, BASE_SHA (empty: everything), HEAD_URI, BASE_URI and PROJECT
// in its environment. Only the state `passed` is green; `blocked` waits for a person and goes on. The jobs are the
// target graph.
//
// Thread rule: that of BuildRunner.

#include "handlers/pipeline/service_client.hpp"

#include <string>

namespace millrace::handlers::pipeline {

class Buildkite final : public BuildRunner {
public:
    struct Settings {
        std::string organization;
        std::string pipeline;
        std::string branch;
    };
    Buildkite(ServiceClient client, CommitNames commits, Settings settings);

    std::string trigger(const BuildOrder& order, const std::stop_token& stop) override;
    BuildReport report(const storage::pipeline::BuildKey& build, const std::stop_token& stop) override;
    void cancel(const storage::pipeline::BuildKey& build, const std::stop_token& stop) override;

private:
    const ServiceClient client_;
    const CommitNames commits_;
    const Settings settings_;
    const std::string path_;  // of all builds
};

}  // namespace millrace::handlers::pipeline
