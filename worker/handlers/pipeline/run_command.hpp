#pragma once
// `pipeline.run`: executes one build of the `command` runner.
//
// Checks the head out into a work tree of its own and runs the command there, with BASE_URI, HEAD_URI, BASE_SHA,
// HEAD_SHA and PROJECT in its environment; the first and third are empty when everything is to be built. TARGET_GRAPH
// is a path where it may leave a target graph (target_graph.hpp). Exit status 0 is a success, anything else a failure:
// so are a command that does not start, and one that goes beyond its limits of time, memory, output or disk. What the
// command writes can be followed while it runs.
//
// No transaction is open while the command runs. The end of a run is written once, so that an attempt repeated after a
// lost worker, or one that comes late, changes nothing. A run that is asked to stop (shutdown, lost lease) ends without
// a verdict and is executed again; one that was called off ends without one, and for good.
//
// Thread rule: that of Handler.

#include "engine/handler.hpp"
#include "handlers/pipeline/extensions.hpp"
#include "handlers/pipeline/payload.hpp"
#include "handlers/pipeline/run_log.hpp"
#include "storage/pipeline_counts.hpp"
#include "storage/pipeline_stores.hpp"
#include "storage/session.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace millrace::handlers::pipeline {

class RunCommand final : public engine::Handler {
public:
    static constexpr std::size_t max_log_tail = std::size_t{64} * 1024;  // bytes that are shown with the build

    // The extensions and the counts outlive the handler.
    RunCommand(const Extensions& extensions, storage::SessionFactory sessions, storage::pipeline::StoreCounts& counts)
        : extensions_{extensions}, sessions_{std::move(sessions)}, counts_{counts} {}

    core::Outcome run(const core::Job& job, std::stop_token stop) override;

private:
    struct Assignment {
        storage::pipeline::Queue queue;
        storage::pipeline::CommandRun run;
    };
    [[nodiscard]] Assignment begin(const Payload& payload) const;
    struct Attempt {
        const Assignment& assignment;
        const core::Job& job;
        RunLog& log;
        const std::stop_token& stop;
    };
    [[nodiscard]] storage::pipeline::CommandEnd execute(const Attempt& attempt) const;
    void finish(const Attempt& attempt, const storage::pipeline::CommandEnd& end) const;
    void keep_log(const Attempt& attempt) const;

    const Extensions& extensions_;
    const storage::SessionFactory sessions_;
    storage::pipeline::StoreCounts& counts_;
};

}  // namespace millrace::handlers::pipeline
