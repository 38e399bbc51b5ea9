#pragma once
// What follows from a verdict, each a stage of its own. The work is done by SQL functions: see sql/pipeline.
//
//     pipeline.analyze   the projects that the head touches, and a build for each            analyze.sql
//     pipeline.bisect    the next step of the search for the commit that broke the branch    culprit.sql
//     pipeline.tell      one sink of an event, by email or NOTIFY                            hooks.sql

#include "handlers/pipeline/stage.hpp"

namespace millrace::handlers::pipeline {

// The result names how many projects are built.
class Analyze final : public Stage {
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"queue", "request", "build"});
    }
    core::Outcome advance(const Work& work) override;
};

class Bisect final : public Stage {
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"queue", "request"});
    }
    core::Outcome advance(const Work& work) override;
};

class Tell final : public Stage {
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"event", "sink"});
    }
    core::Outcome advance(const Work& work) override;
};

}  // namespace millrace::handlers::pipeline
