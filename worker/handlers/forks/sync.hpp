#pragma once
// `forks.sync`: one branch of a fork is brought up to date with its upstream.
//
//     done, whatever the result (conflicts are results)      → completed, with the result in the same transaction
//     another attempt works on this fork                     → snoozed, no attempt is burned
//     git or the remote fails, or the branch moved meanwhile → failed: retried; at the last attempt the result
//                                                              `failed` and a dead letter, in one transaction
//     GitHub refuses it for good                             → the result `failed` and a dead letter
//     this worker lacks the token that it should have        → snoozed, until another worker takes it
//     GitHub wants to be left alone for a while              → snoozed, as are all jobs of that token, on all workers
//     as many jobs as may use the token do so already        → snoozed for a moment
//     the fork is disabled, or has not listed the branch any
//     more since the run began                               → completed, as `skipped`
//     a bad payload, a fork or branch that is not registered → dead letter
//
// Remotes answer after seconds or minutes. Until git is done, nothing is read or written in the settling transaction,
// so that it holds no lock and no snapshot; what must be known or announced before has short sessions of its own.
//
// Thread rule: that of TransactionalHandler.

#include "adapters/github.hpp"
#include "engine/handler.hpp"
#include "handlers/forks/git_provider.hpp"
#include "handlers/forks/sync_counts.hpp"
#include "handlers/forks/token.hpp"
#include "storage/session_pool.hpp"

#include <chrono>
#include <stop_token>
#include <string>

namespace millrace::handlers::forks {

class Sync final : public engine::TransactionalHandler {
public:
    struct Settings {
        GitProvider::Settings git;
        adapters::Github* github = nullptr;  // outlives the handler; none: this worker has no token
        std::string token_problem = {};      // why not, when it should have one
        std::chrono::milliseconds busy_delay{std::chrono::seconds{5}};  // until a fork that is worked on is tried again
        SyncCounts* counts = nullptr;  // outlives the handler; none: nobody wants to know
    };

    // The sessions outlive the handler.
    Sync(storage::SessionPool& sessions, Settings settings);

    core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) override;

private:
    class Attempt;

    storage::SessionPool& sessions_;
    const Token token_;
    const std::chrono::milliseconds busy_delay_;
    SyncCounts* const counts_;
    GitProvider git_;
};

}  // namespace millrace::handlers::forks
