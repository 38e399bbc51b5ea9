#pragma once
// What all stages have in common: a stage loads its entities by key, advances them, and names the job of the next
// stage; all of that commits together with the settle of its own job, or not at all.
//
// A stage that finds its work done goes on from what is stored. It may therefore be run again at any time: after a
// commit in doubt, by an operator, or because two jobs ask for the same.
//
//     entity that does not exist, bad payload,
//     a URI that is not the source control's      → dead letter
//     entity written by somebody else meanwhile,
//     source control or runner out of reach       → failed: retried with the queue's backoff
//
// Thread rule: that of TransactionalHandler.

#include "engine/handler.hpp"
#include "handlers/pipeline/payload.hpp"
#include "storage/pipeline_counts.hpp"
#include "storage/pipeline_stores.hpp"

#include <string>

namespace millrace::handlers::pipeline {

// What one attempt of a stage works with.
struct Work {
    const Payload& payload;
    const storage::pipeline::Stores& stores;
    const std::stop_token& stop;
    int priority;                    // of the job: that of the next one, when it is about the same build
    const std::string& traceparent;  // of the job, for whatever is asked elsewhere; empty: none

    [[nodiscard]] storage::pipeline::RequestKey request() const { return {payload.queue, payload.request}; }
    [[nodiscard]] storage::pipeline::BuildKey build() const { return {payload.queue, payload.build}; }
};

class Stage : public engine::TransactionalHandler {
public:
    explicit Stage(storage::pipeline::StoreCounts& counts) : counts_{counts} {}  // which outlive this

    core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) final;
    // The same on stores of any kind: what is written there is for the caller to commit.
    core::Outcome run(const core::Job& job, const storage::pipeline::Stores& stores, const std::stop_token& stop);

private:
    [[nodiscard]] virtual Payload read(std::string_view payload) const = 0;  // throws BadPayload
    virtual core::Outcome advance(const Work& work) = 0;

    storage::pipeline::StoreCounts& counts_;
};

// A job of this pipeline queue's stages.
[[nodiscard]] core::NewJob stage_job(const storage::pipeline::Queue& queue, std::string kind, const Payload& payload,
                                     int priority = core::NewJob{}.priority);

}  // namespace millrace::handlers::pipeline
