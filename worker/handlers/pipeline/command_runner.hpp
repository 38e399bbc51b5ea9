#pragma once
// The build runner `command`: a build is a job of kind pipeline.run (run_command.hpp), so that any worker may execute
// it.
//
// Thread rule: as the transaction of its stage.

#include "handlers/pipeline/build_runner.hpp"
#include "storage/pipeline_stores.hpp"

namespace millrace::handlers::pipeline {

class CommandRunner final : public BuildRunner {
public:
    explicit CommandRunner(const storage::pipeline::Stores& stores) : stores_{stores} {}

    // Commits with the stage that triggers it, and the job with them.
    std::string trigger(const BuildOrder& order, const std::stop_token& stop) override;
    BuildReport report(const storage::pipeline::BuildKey& build, const std::stop_token& stop) override;
    // A run that has not begun never will. One that is under way is ended within its grace, and its result is void.
    void cancel(const storage::pipeline::BuildKey& build, const std::stop_token& stop) override;

private:
    const storage::pipeline::Stores stores_;
};

}  // namespace millrace::handlers::pipeline
