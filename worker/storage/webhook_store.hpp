#pragma once
// What the pipeline's webhooks are to be told.
//
// Throws ConnectionLost, and Error for what the server refuses.
//
// Thread rule: as the Session.

#include "storage/pipeline_counts.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string>

namespace millrace::storage::pipeline {

struct HookKey {
    std::string event;
    std::string sink;
};

struct HookDelivery {
    std::string url;
    std::string body;             // JSON text
    std::string secret_variable;  // whose value signs it; empty: nothing does
};

class WebhookStore {
public:
    // Counted as `find_delivery` of the store `hooks`.
    WebhookStore(Session& session, StoreCounts& counts) : session_{session}, counts_{counts} {}

    [[nodiscard]] std::optional<HookDelivery> find(const HookKey& key);  // nothing: the event or the sink is gone

private:
    Session& session_;
    StoreCounts& counts_;
};

}  // namespace millrace::storage::pipeline
