#include "storage/webhook_store.hpp"

#include "storage/translation.hpp"

namespace millrace::storage::pipeline {

std::optional<HookDelivery> WebhookStore::find(const HookKey& key) {
    const auto rows =
        execute(session_, "select url, body, coalesce(secret_env, '') from pipeline.hook_delivery($1, $2)", key.event,
                key.sink);
    if (rows.empty()) return std::nullopt;
    const auto row = rows.at(0);
    return HookDelivery{row[0].c_str(), row[1].c_str(), row[2].c_str()};
}

}  // namespace millrace::storage::pipeline
