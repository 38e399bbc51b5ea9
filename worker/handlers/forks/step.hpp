#pragma once
// `forks.search`, `forks.distribute` and `forks.rebase`: one step of a run. The job itself says which one, and not its
// payload, which is for people.
//
//     done, whatever was found (conflicts are results)      → completed, with the result in the same transaction
//     the fork is disabled by now, or has opted out         → completed, as `skipped`
//     the fork's provider cannot do it, or GitHub refuses   → the result `failed` and a dead letter
//     another attempt works on this fork                    → snoozed, no attempt is burned
//     git, the remote or GitHub fails                       → failed: retried; at the last attempt the result `failed`
//                                                             and a dead letter, in one transaction
//     this worker lacks the token that it should have       → snoozed, until another worker takes it
//     GitHub wants to be left alone for a while             → snoozed, as are all jobs of that token, on all workers
//     as many jobs as may use the token do so already       → snoozed for a moment
//     the job is no step of a run                           → dead letter
//
//                  provider git                          provider github
//     search       cannot                                pull requests with [MIG] in their titles that were merged in
//                                                        the 24 hours before the run
//     distribute   cannot                                the group's template, by a commit if the file differs
//     rebase       branches by the fork's patterns       the same, over https with the token; the branches are listed
//                                                        through the interface before, and nothing is fetched when none
//                                                        fits
//
// Until the outside is done, nothing is read or written in the settling transaction; what must be known, announced or
// kept before has short sessions of its own.
//
// Thread rule: that of TransactionalHandler.

#include "adapters/github.hpp"
#include "engine/handler.hpp"
#include "handlers/forks/git_rebase.hpp"
#include "handlers/forks/token.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <stop_token>
#include <string>

namespace millrace::handlers::forks {

class Step final : public engine::TransactionalHandler {
public:
    struct Settings {
        CopySettings git;
        adapters::Github* github = nullptr;  // outlives the handler; none: this worker has no token
        std::string token_problem = {};      // why not, when it should have one
        std::chrono::milliseconds busy_delay{std::chrono::seconds{5}};  // until a fork that is worked on is tried again
    };

    Step(storage::SessionFactory sessions, Settings settings);

    core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) override;

private:
    class Attempt;

    const storage::SessionFactory sessions_;
    const Token token_;
    const std::chrono::milliseconds busy_delay_;
    GitRebase git_;
};

}  // namespace millrace::handlers::forks
