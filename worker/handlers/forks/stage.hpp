#pragma once
// `forks.stage`: leads a run from one stage to the next. The callback of a batch of the run's:
//
//     {"run": 17, "batch": {…}}
//
//     the next stage's jobs are enqueued      → completed, and they with it
//     the run was cancelled                   → completed; the run ends
//     the run has ended, or is another job's  → failed
//     a bad payload                           → dead letter
//
// Thread rule: that of TransactionalHandler.

#include "engine/handler.hpp"

namespace millrace::handlers::forks {

class Stage final : public engine::TransactionalHandler {
public:
    core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) override;
};

}  // namespace millrace::handlers::forks
