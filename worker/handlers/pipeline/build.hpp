#pragma once
// `pipeline.build`: triggers the build of a request and stores what the runner minted; pipeline.buildsignal follows it.
//
// A request that has a build already keeps it. One that has ended needs none.

#include "handlers/pipeline/extensions.hpp"
#include "handlers/pipeline/stage.hpp"

namespace millrace::handlers::pipeline {

class Build final : public Stage {
public:
    Build(const Extensions& extensions, storage::pipeline::StoreCounts& counts)
        : Stage{counts}, extensions_{extensions} {}  // which outlive this

private:
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"queue", "request"});
    }
    core::Outcome advance(const Work& work) override;

    const Extensions& extensions_;
};

}  // namespace millrace::handlers::pipeline
