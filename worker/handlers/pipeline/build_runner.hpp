#pragma once
// Who executes the builds of a pipeline queue: triggered, asked how far it is, called off. Triggering does not wait.
//
// Thread rule: one thread; an object serves one attempt of a stage.

#include "storage/pipeline_entities.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace millrace::handlers::pipeline {

struct BuildOrder {
    storage::pipeline::RequestKey request;
    std::string project;                  // empty: the whole repository
    int run = 1;                          // a build that is repeated, or of another commit, is another run
    std::optional<std::string> base_uri;  // what to build against; nothing: everything
    std::string head_uri;
};

struct BuildReport {
    storage::pipeline::BuildStatus status = storage::pipeline::BuildStatus::accepted;
    std::string reason;        // why it ended as it did, for people
    std::string target_graph;  // JSON, of one that has ended; empty: none
    std::string log_location;  // where people find the log; empty: not known
};

class BuildRunnerError : public std::runtime_error {
public:
    enum class Kind {
        passing,  // out of reach, or out of order: may succeed when repeated
        lasting,  // refused, or forgotten
    };
    BuildRunnerError(Kind kind, const std::string& text, std::optional<std::chrono::milliseconds> retry_in = {})
        : std::runtime_error{text}, kind_{kind}, retry_in_{retry_in} {}
    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    // How long the runner wants to be left alone; nothing: it did not say.
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry_in() const noexcept { return retry_in_; }

private:
    Kind kind_;
    std::optional<std::chrono::milliseconds> retry_in_;
};

// All verbs throw BuildRunnerError.
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
