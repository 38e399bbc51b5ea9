#pragma once
// `pipeline.run`: executes one build of the `command` runner.
//
// Checks the head out into a work tree of its own and runs the command there, with BASE_URI, HEAD_URI, BASE_SHA,
// HEAD_SHA and PROJECT in its environment; the first and third are empty when everything is to be built. Exit status 0
// is a success, anything else a failure: so are a command that does not start and one that runs out of its time. What
// the command wrote last is kept.
//
// No transaction is open while the command runs. The end of a run is written once, so that an attempt repeated after a
// lost worker, or one that comes late, changes nothing. A run that is asked to stop (shutdown, lost lease) ends without
// a verdict and is executed again.
//
// Thread rule: that of Handler.

#include "engine/handler.hpp"
#include "handlers/pipeline/extensions.hpp"
#include "handlers/pipeline/payload.hpp"
#include "storage/pipeline_stores.hpp"
#include "storage/session.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace millrace::handlers::pipeline {

class RunCommand final : public engine::Handler {
public:
    static constexpr std::size_t max_log_tail = std::size_t{64} * 1024;  // bytes

    // The extensions outlive the handler.
    RunCommand(const Extensions& extensions, storage::SessionFactory sessions)
        : extensions_{extensions}, sessions_{std::move(sessions)} {}

    core::Outcome run(const core::Job& job, std::stop_token stop) override;

private:
    struct Assignment {
        storage::pipeline::Queue queue;
        storage::pipeline::CommandRun run;
    };
    [[nodiscard]] Assignment begin(const Payload& payload) const;
    [[nodiscard]] storage::pipeline::CommandEnd execute(const Assignment& assignment, const core::Job& job,
                                                        const std::stop_token& stop) const;
    void finish(const storage::pipeline::BuildKey& build, const storage::pipeline::CommandEnd& end) const;

    const Extensions& extensions_;
    const storage::SessionFactory sessions_;
};

}  // namespace millrace::handlers::pipeline
