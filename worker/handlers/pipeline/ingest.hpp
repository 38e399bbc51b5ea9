#pragma once
// `pipeline.ingest`: asks the source control for the head, unless the payload names a commit, and ingests it.
//
//     a head that no request owns   → request accepted, pipeline.process enqueued
//     one that is known             → nothing
//     asked, while another came     → asks again
//
// The result names the request and the URI.

#include "handlers/pipeline/extensions.hpp"
#include "handlers/pipeline/stage.hpp"

namespace millrace::handlers::pipeline {

class Ingest final : public Stage {
public:
    Ingest(const Extensions& extensions, storage::pipeline::StoreCounts& counts)
        : Stage{counts}, extensions_{extensions} {}  // which outlive this

private:
    [[nodiscard]] Payload read(std::string_view payload) const override { return read_payload(payload, {"queue"}); }
    core::Outcome advance(const Work& work) override;

    const Extensions& extensions_;
};

}  // namespace millrace::handlers::pipeline
