#include "engine/payload_schemas.hpp"

#include "storage/schema_store.hpp"

#include <utility>

namespace millrace::engine {

void PayloadSchemas::load(storage::Session& session) {
    if (auto changed = storage::SchemaStore{session}.changed(kinds_, version_)) {
        auto by_kind = std::make_shared<ByKind>();
        for (const auto& [kind, text] : changed->by_kind) {
            auto& known = (*by_kind)[kind];
            try {
                known.schema = std::make_unique<const PayloadSchema>(text);
            } catch (const BadSchema& error) {
                known.problem = error.what();
            }
        }
        known_.with([&](auto& current) { current = std::move(by_kind); });
        version_ = std::move(changed->version);
    }
    const std::lock_guard lock{mutex_};
    if (!std::exchange(loaded_, true)) changed_.notify_all();
}

void PayloadSchemas::await_loaded(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, stop, [&] { return loaded_; });
}

std::optional<PayloadSchemas::Refusal> PayloadSchemas::refusal(const core::Job& job) const {
    const auto by_kind = known_.with([](const auto& current) { return current; });
    if (!by_kind || by_kind->empty()) return std::nullopt;
    const auto found = by_kind->find(job.kind);
    if (found == by_kind->end()) return std::nullopt;
    const auto& [schema, problem] = found->second;
    if (!schema) return Refusal{core::Snoozed{put_off}, problem};
    const auto violation = schema->check(job.payload);
    if (!violation) return std::nullopt;
    return Refusal{
        core::Discarded{"the payload is not as the schema of " + job.kind + " wants it: " + text_of(*violation)}, {}};
}

}  // namespace millrace::engine
