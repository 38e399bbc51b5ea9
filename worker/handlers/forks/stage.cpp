#include "handlers/forks/stage.hpp"

#include "storage/fork_steps.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>

namespace millrace::handlers::forks {

core::Outcome Stage::run(const core::Job& job, storage::Transaction& transaction, std::stop_token) {
    const auto payload = nlohmann::json::parse(job.payload, nullptr, false);
    if (!payload.is_object() || !payload.contains("run") || !payload["run"].is_number_integer()) {
        return core::Discarded{R"(the payload must name a run; write {"run": 17})"};
    }
    const auto stage = storage::next_stage(transaction, job.id, payload["run"].get<std::int64_t>());
    return core::Completed{nlohmann::json{{"stage", stage}}.dump(), {}};
}

}  // namespace millrace::handlers::forks
