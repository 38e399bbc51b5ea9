#pragma once
// `forks.digest`: tells what a run has found. The callback of the run's batch:
//
//     {"run": 17, "batch": {…}}
//
//     recorded, and mailed to whom it may concern → completed, with the digest and its mails in the same transaction
//     the run was cancelled                       → completed; the run ends, there is no digest
//     the run has ended, or is another job's      → failed
//     a bad payload                               → dead letter
//
// Thread rule: that of TransactionalHandler.

#include "engine/handler.hpp"

namespace millrace::handlers::forks {

class Digest final : public engine::TransactionalHandler {
public:
    core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) override;
};

}  // namespace millrace::handlers::forks
