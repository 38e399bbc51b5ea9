#pragma once
// Who executes the builds of a pipeline queue: triggered, asked how far it is, called off. Triggering does not wait.
//
// Thread rule: one thread; an object serves one attempt of a stage.

#include "storage/pipeline_entities.hpp"

#include <stop_token>
#include <string>

namespace millrace::handlers::pipeline {

struct BuildOrder {
    storage::pipeline::RequestKey request;
    std::string project;                  // empty: the whole repository
    std::optional<std::string> base_uri;  // what to build against; nothing: everything
    std::string head_uri;
};

struct BuildReport {
    storage::pipeline::BuildStatus status = storage::pipeline::BuildStatus::accepted;
    std::string reason;  // why it ended as it did, for people
};

class BuildRunner {
public:
    BuildRunner() = default;
    BuildRunner(const BuildRunner&) = delete;
    BuildRunner& operator=(const BuildRunner&) = delete;
    virtual ~BuildRunner() = default;

    // The id of the build. A runner that can tell gives the same id for the same order.
    virtual std::string trigger(const BuildOrder& order, const std::stop_token& stop) = 0;
    virtual BuildReport report(const storage::pipeline::BuildKey& build, const std::stop_token& stop) = 0;
    // Harmless when it has ended.
    virtual void cancel(const storage::pipeline::BuildKey& build, const std::stop_token& stop) = 0;
};

}  // namespace millrace::handlers::pipeline
