#include "handlers/pipeline/stage.hpp"

#include "adapters/source_control.hpp"
#include "handlers/pipeline/build_runner.hpp"
#include "storage/pipeline_tables.hpp"

#include <utility>

namespace millrace::handlers::pipeline {

core::Outcome Stage::run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) {
    storage::pipeline::Tables tables{transaction, counts_};
    return run(job, tables.stores(), stop);
}

core::Outcome Stage::run(const core::Job& job, const storage::pipeline::Stores& stores, const std::stop_token& stop) {
    try {
        const auto payload = read(job.payload);
        return advance({payload, stores, stop, job.priority, job.traceparent});
    } catch (const BadPayload& error) {
        return core::Discarded{error.what()};
    } catch (const storage::pipeline::NotFound& error) {
        return core::Discarded{error.what()};
    } catch (const adapters::SourceControlError& error) {
        if (error.kind() == adapters::SourceControlError::Kind::lasting) return core::Discarded{error.what()};
        return core::Failed{error.what(), {}};
    } catch (const BuildRunnerError& error) {
        if (error.kind() == BuildRunnerError::Kind::lasting) return core::Discarded{error.what()};
        return core::Failed{error.what(), error.retry_in()};
    }
}

core::NewJob stage_job(const storage::pipeline::Queue& queue, std::string kind, const Payload& payload, int priority) {
    return {.queue = queue.job_queue, .kind = std::move(kind), .payload = write_payload(payload), .priority = priority};
}

}  // namespace millrace::handlers::pipeline
