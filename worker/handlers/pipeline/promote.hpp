#pragma once
// `pipeline.promote`: moves the promotion branch to the last green commit, as it is when this job runs.
//
//     moved, or there already   → noted
//     a commit that a rewrite of the branch has dropped   → counted, and left: the next green one is promoted
//
// One job at a time for each pipeline queue, by its concurrency key, so that the branch is never moved back. Run again,
// it finds the branch where it has to be.

#include "handlers/pipeline/extensions.hpp"
#include "handlers/pipeline/stage.hpp"

namespace millrace::handlers::pipeline {

class Promote final : public Stage {
public:
    Promote(const Extensions& extensions, storage::pipeline::StoreCounts& counts)
        : Stage{counts}, extensions_{extensions} {}  // which outlive this

private:
    [[nodiscard]] Payload read(std::string_view payload) const override { return read_payload(payload, {"queue"}); }
    core::Outcome advance(const Work& work) override;

    const Extensions& extensions_;
};

}  // namespace millrace::handlers::pipeline
