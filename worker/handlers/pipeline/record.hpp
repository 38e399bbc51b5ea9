#pragma once
// `pipeline.record`: turns the end of a build into a fact about its commit, and moves the bookmark.
//
//     succeeded   → degree 0, and the bookmark moves here unless a later request holds it
//     failed      → degree 1
//     succeeded, after another run of it has failed → degree 1, flaky
//     cancelled   → no fact: nothing is known of the commit
//
// Then whoever wants to know is told, and pipeline.analyze follows for green and broken alike. What a revalidation has
// set aside is not recorded, and neither is the end of a request that has failed closed.
//
// Facts are created once. One of the same request is this very stage run before: it stands, whatever the build says
// now. One of another request means that a commit was validated twice, which must not happen: dead letter.

#include "handlers/pipeline/stage.hpp"

namespace millrace::handlers::pipeline {

class Record final : public Stage {
public:
    using Stage::Stage;

private:
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"queue", "request", "build"});
    }
    core::Outcome advance(const Work& work) override;
};

}  // namespace millrace::handlers::pipeline
