#pragma once
// `forks.run`: starts a run of a group of forks. A schedule's job.
//
//     {"group": "default"}
//
//     started, or one of this group is active already → completed; the result says which run, and whether it began now
//     no such group, or none of its forks is enabled  → failed
//     a bad payload                                   → dead letter
//
// The run begins with the settle: one job starts one run.
//
// Thread rule: that of TransactionalHandler.

#include "engine/handler.hpp"

namespace millrace::handlers::forks {

class Run final : public engine::TransactionalHandler {
public:
    core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) override;
};

}  // namespace millrace::handlers::forks
