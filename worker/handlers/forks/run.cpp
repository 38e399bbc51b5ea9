#include "handlers/forks/run.hpp"

#include "storage/forks_store.hpp"

#include <nlohmann/json.hpp>

namespace millrace::handlers::forks {

core::Outcome Run::run(const core::Job& job, storage::Transaction& transaction, std::stop_token) {
    const auto payload = nlohmann::json::parse(job.payload, nullptr, false);
    if (!payload.is_object() || payload.size() != 1 || !payload.contains("group") || !payload["group"].is_string()) {
        return core::Discarded{R"(the payload must name a group and nothing else; write {"group": "default"})"};
    }
    const auto begun = storage::begin_run(transaction, payload["group"].get<std::string>());
    return core::Completed{nlohmann::json{{"run", begun.run}, {"started", begun.has_started}}.dump(), {}};
}

}  // namespace millrace::handlers::forks
