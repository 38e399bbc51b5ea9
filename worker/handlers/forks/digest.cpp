#include "handlers/forks/digest.hpp"

#include "handlers/forks/digest_text.hpp"
#include "storage/forks_store.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>

namespace millrace::handlers::forks {

core::Outcome Digest::run(const core::Job& job, storage::Transaction& transaction, std::stop_token) {
    const auto payload = nlohmann::json::parse(job.payload, nullptr, false);
    if (!payload.is_object() || !payload.contains("run") || !payload["run"].is_number_integer()) {
        return core::Discarded{R"(the payload must name a run; write {"run": 17})"};
    }
    const auto run = payload["run"].get<std::int64_t>();
    const auto digest = write_digest(storage::digest_content(transaction, run));
    const auto said = storage::record_digest(transaction, job.id, run, digest);
    const nlohmann::json result{{"digest", said}, {"subject", digest.subject}, {"failures", digest.failures}};
    return core::Completed{result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), {}};
}

}  // namespace millrace::handlers::forks
