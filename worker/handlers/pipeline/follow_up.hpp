#pragma once
// What follows from a verdict, or from there being none, each a stage of its own. The work is done by SQL functions,
// see sql/pipeline, and by the build runner.
//
//     pipeline.analyze   the projects that the head touches, and a build for each            analyze.sql
//     pipeline.bisect    the next step of the search for the commit that broke the branch    culprit.sql
//     pipeline.tell      one sink of an event, by email or NOTIFY                            hooks.sql
//     pipeline.calloff   ends a build that nobody waits for any more                         fail_closed.sql

#include "handlers/pipeline/extensions.hpp"
#include "handlers/pipeline/stage.hpp"

namespace millrace::handlers::pipeline {

// The result names how many projects are built.
class Analyze final : public Stage {
public:
    using Stage::Stage;

private:
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"queue", "request", "build"});
    }
    core::Outcome advance(const Work& work) override;
};

class Bisect final : public Stage {
public:
    using Stage::Stage;

private:
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"queue", "request"});
    }
    core::Outcome advance(const Work& work) override;
};

class Tell final : public Stage {
public:
    using Stage::Stage;

private:
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"event", "sink"});
    }
    core::Outcome advance(const Work& work) override;
};

// A runner that has forgotten the build, or will not end it, has said so for good: the build has ended for us.
class CallOff final : public Stage {
public:
    CallOff(const Extensions& extensions, storage::pipeline::StoreCounts& counts)
        : Stage{counts}, extensions_{extensions} {}  // which outlive this

private:
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"queue", "request", "build"});
    }
    core::Outcome advance(const Work& work) override;

    const Extensions& extensions_;
};

}  // namespace millrace::handlers::pipeline
