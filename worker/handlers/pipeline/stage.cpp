#include "handlers/pipeline/stage.hpp"

#include "adapters/source_control.hpp"

#include <utility>

namespace millrace::handlers::pipeline {

core::Outcome Stage::run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) {
    try {
        const auto payload = read(job.payload);
        storage::pipeline::Stores stores{transaction};
        return advance({payload, stores, stop});
    } catch (const BadPayload& error) {
        return core::Discarded{error.what()};
    } catch (const storage::pipeline::NotFound& error) {
        return core::Discarded{error.what()};
    } catch (const adapters::SourceControlError& error) {
        if (error.kind() == adapters::SourceControlError::Kind::lasting) return core::Discarded{error.what()};
        return core::Failed{error.what(), {}};
    }
}

core::NewJob stage_job(const storage::pipeline::Queue& queue, std::string kind, const Payload& payload) {
    return {.queue = queue.job_queue, .kind = std::move(kind), .payload = write_payload(payload)};
}

}  // namespace millrace::handlers::pipeline
