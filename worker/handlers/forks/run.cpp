#include "handlers/forks/run.hpp"

#include "storage/forks_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace millrace::handlers::forks {

core::Outcome Run::run(const core::Job& job, storage::Transaction& transaction, std::stop_token) {
    const auto payload = nlohmann::json::parse(job.payload, nullptr, false);
    if (!payload.is_object() || payload.size() != 1 || !payload.contains("group") || !payload["group"].is_string()) {
        return core::Discarded{R"(the payload must name a group and nothing else; write {"group": "default"})"};
    }
    const auto begun = storage::begin_run(transaction, payload["group"].get<std::string>());
    if (begun.is_overdue) {  // each time from now on: people would hear of no fork any more
        return core::Discarded{
            fmt::format("run {0} has been active for more than a day, and no other is started; "
                        "see millrace forks show {0}, or end it with millrace forks cancel {0}",
                        *begun.run)};
    }
    const auto run = begun.run ? nlohmann::json(*begun.run) : nlohmann::json();
    return core::Completed{nlohmann::json{{"run", run}, {"started", begun.has_started}}.dump(), {}};
}

}  // namespace millrace::handlers::forks
