#pragma once
// `pipeline.webhook`: tells one webhook of one event, as CloudEvents 1.0 in JSON, structured mode.
//
//     {"event": "pipeline/validation.recorded/request/monorepo/main/7/", "sink": "deploy"}
//
//     2xx, however long the answer is    → completed
//     408, 429, 5xx, no answer at all    → failed: retried after what Retry-After says, else with the queue's backoff
//     any other answer                   → dead letter; a redirection too, for it is never followed
//     the event or the sink is gone      → dead letter
//
// The body is signed when the sink names a secret: X-Millrace-Signature is "sha256=" and the HMAC-SHA256 of the body in
// hexadecimal digits. Delivered at least once: who must not count twice looks at the event's id.
//
// Thread rule: that of Handler.

#include "adapters/http.hpp"
#include "core/job.hpp"
#include "engine/handler.hpp"
#include "handlers/pipeline/secrets.hpp"
#include "storage/pipeline_counts.hpp"
#include "storage/session_pool.hpp"

#include <utility>

namespace millrace::handlers::pipeline {

class Webhook final : public engine::Handler {
public:
    // The sessions and the counts outlive the handler.
    Webhook(Secrets secrets, storage::SessionPool& sessions, storage::pipeline::StoreCounts& counts)
        : secrets_{std::move(secrets)}, sessions_{sessions}, counts_{counts}, http_{{}} {}

    core::Outcome run(const core::Job& job, std::stop_token stop) override;

private:
    const Secrets secrets_;
    storage::SessionPool& sessions_;
    storage::pipeline::StoreCounts& counts_;
    adapters::Http http_;
};

}  // namespace millrace::handlers::pipeline
