#include "storage/webhook_store.hpp"

#include "core/finally.hpp"
#include "storage/translation.hpp"

#include <chrono>
#include <string_view>

namespace millrace::storage::pipeline {

std::optional<HookDelivery> WebhookStore::find(const HookKey& key) {
    using Clock = std::chrono::steady_clock;
    std::string_view outcome = "failed";
    const core::Finally count{[&, began = Clock::now()] {
        counts_.add({"hooks", "find_delivery", outcome}, Clock::now() - began);
    }};
    const auto rows =
        execute(session_, "select url, body, coalesce(secret_env, '') from pipeline.hook_delivery($1, $2)", key.event,
                key.sink);
    outcome = rows.empty() ? "not_found" : "done";
    if (rows.empty()) return std::nullopt;
    const auto row = rows.at(0);
    return HookDelivery{row[0].c_str(), row[1].c_str(), row[2].c_str()};
}

}  // namespace millrace::storage::pipeline
