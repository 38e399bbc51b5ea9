#pragma once
// `pipeline.process`: decides under the lock of the pipeline queue what becomes of a request.
//
//     accepted, a later head is known   → superseded
//     accepted, all slots in use        → left accepted: whoever frees a slot enqueues this stage for the latest
//     accepted, a slot is free          → processing, strategy pinned, pipeline.build
//     processing                        → pipeline.build again
//     ended                             → nothing
//
// Strategy: incremental_since_green when the last green commit is an ancestor of the head, else full: nothing has been
// green, history was rewritten, or the source control does not know the last green any more. Whoever asks for that asks
// when the head was committed, too, and which commits are between base and head: of superseded ones among them the
// verdict on the head tells, and of no others.

#include "handlers/pipeline/extensions.hpp"
#include "handlers/pipeline/stage.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace millrace::handlers::pipeline {

class Process final : public Stage {
public:
    Process(const Extensions& extensions, storage::pipeline::StoreCounts& counts)
        : Stage{counts}, extensions_{extensions} {}  // which outlive this

private:
    [[nodiscard]] Payload read(std::string_view payload) const override {
        return read_payload(payload, {"queue", "request"});
    }
    core::Outcome advance(const Work& work) override;
    struct Admission {
        bool is_incremental = false;
        std::optional<std::chrono::sys_seconds> committed;
        std::vector<std::string> history;  // after the base and before the head, the newest first
    };
    [[nodiscard]] Admission look(const storage::pipeline::Queue& queue, const storage::pipeline::Request& request,
                                 const std::stop_token& stop) const;

    const Extensions& extensions_;
};

}  // namespace millrace::handlers::pipeline
