#pragma once
// `pipeline.buildsignal`: watches a build by snoozing, which is no attempt, until it has ended.
//
//     accepted, running   → snoozed for the pipeline queue's poll_accepted, poll_running
//     ended               → status and outcome of the request written once, then pipeline.record and, because a slot is
//                           free, pipeline.process of the latest request that waits
//     failed, and may be flaky → pipeline.build again, in another run; the request keeps its slot
//     of a project        → pipeline.record
//     of a search for a culprit → pipeline.bisect
//     runner out of reach → snoozed as well: the build goes on meanwhile, and its reason says what is in the way
//     older than the pipeline queue's max_validation → called off, counts as failed; what could not be told so now is
//                           told by pipeline.calloff

#include "handlers/pipeline/extensions.hpp"
#include "handlers/pipeline/stage.hpp"

#include <chrono>
#include <string>

namespace millrace::handlers::pipeline {

class BuildSignal final : public Stage {
public:
    BuildSignal(const Extensions& extensions, storage::pipeline::StoreCounts& counts)
        : Stage{counts}, extensions_{extensions} {}  // which outlive this

private:
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"queue", "request", "build"});
    }
    core::Outcome advance(const Work& work) override;
    struct Look {
        BuildReport report;
        std::chrono::milliseconds patience{0};  // for how long the runner wants to be left alone
    };
    [[nodiscard]] Look look(const Work& work, const storage::pipeline::Queue& queue,
                            const storage::pipeline::Build& build) const;
    // What the runner had against it, empty for nothing; and whether it has to be told again.
    struct Refusal {
        std::string reason;
        bool is_passing = false;
    };
    [[nodiscard]] Refusal call_off(const Work& work, const storage::pipeline::Queue& queue) const;
    // Its queue is locked.
    static core::Completed conclude(const Work& work, const storage::pipeline::Queue& queue,
                                    const storage::pipeline::Build& build);
    static void end_request(const Work& work, const storage::pipeline::Queue& queue,
                            const storage::pipeline::Build& build, core::Completed& completed);

    const Extensions& extensions_;
};

}  // namespace millrace::handlers::pipeline
