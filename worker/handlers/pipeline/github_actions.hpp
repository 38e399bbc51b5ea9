#pragma once
// The build runner `github_actions`: a build is a run of a workflow that is dispatched.
//
//     {"repository": "acme/shop", "workflow": "validate.yml", "ref": "main", "token_env": "PIPELINE_GITHUB_TOKEN",
//      "base_url": "https://api.github.com"}
//
// GitHub starts a workflow at a branch or tag, never at a commit: `ref` says which file of the workflow is used, and
// the workflow checks out the input head_sha. Its inputs are head_sha, base_sha (empty: everything), head_uri, base_uri
// and project; it must declare all five. Only the conclusion `success` is green. The jobs are the target graph.
//
// Thread rule: that of BuildRunner.

#include "handlers/pipeline/service_client.hpp"

#include <string>

namespace millrace::handlers::pipeline {

class GithubActions final : public BuildRunner {
public:
    struct Settings {
        std::string repository;  // owner/name
        std::string workflow;    // a file name, or a number
        std::string ref;
    };
    GithubActions(ServiceClient client, CommitNames commits, Settings settings);

    std::string trigger(const BuildOrder& order, const std::stop_token& stop) override;
    BuildReport report(const storage::pipeline::BuildKey& build, const std::stop_token& stop) override;
    void cancel(const storage::pipeline::BuildKey& build, const std::stop_token& stop) override;

private:
    [[nodiscard]] std::string run_path(const storage::pipeline::BuildKey& build) const;
    [[nodiscard]] nlohmann::json jobs_of(const std::string& run, const std::stop_token& stop) const;

    const ServiceClient client_;
    const CommitNames commits_;
    const Settings settings_;
    const std::string path_;  // of the repository
};

}  // namespace millrace::handlers::pipeline
