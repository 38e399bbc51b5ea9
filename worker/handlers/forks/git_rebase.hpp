#pragma once
// Rebases branches of a fork with plain git: what they have of their own goes on top of the base as it is now.
//
//     no branch fits the patterns                     → nothing is fetched
//     the branch has all that the base has            → up to date
//     its commits fit on top of the base, one by one  → pushed, with a lease on where the branch was: rebased
//     one of them does not                            → conflict: a person must decide; the branch stays as it is
//     git or the remote fails                         → tried again with the next attempt; at the last: failed
//
// The base itself and the branches that are synchronised with the upstream are never rebased, whatever the patterns
// say.
//
// Each branch is taken down when it is settled, so that an attempt which follows a dead one leaves alone what has been
// rebased. A push that was announced and is found there counts as rebased, too.
//
// Thread rule: any thread.

#include "adapters/git.hpp"
#include "handlers/forks/fork_copy.hpp"
#include "storage/fork_steps.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::handlers::forks {

class GitRebase {
public:
    struct Order {
        std::string fork;  // org/name
        adapters::Remote origin;
        std::vector<std::string> environment;  // NAME=value: what git sees beside the settings'
        adapters::Branch onto;
        std::vector<std::string> globs;
        std::vector<std::string> listed;            // branches that are synchronised
        std::vector<std::string> done;              // rebased by an earlier attempt
        std::optional<storage::PushIntent> intent;  // of an earlier attempt
        int attempt = 1;
        bool is_last = false;  // attempt: what fails now has failed
    };
    struct Report {
        std::size_t branches = 0;  // that were to be rebased
        std::string error;         // of the first that failed; empty: none
        std::string unfit;         // what is wrong with the name of one that no other attempt can rebase either
    };
    struct Hooks {
        std::function<void(const storage::PushIntent&)> announce;  // before a push; what it throws prevents that
        std::function<void(const storage::StepItem&)> record;      // when a branch is settled
    };
    static constexpr std::size_t most_branches = 100;

    // Whether the order is about a branch of this name.
    [[nodiscard]] static bool is_meant(const Order& order, const std::string& branch);

    explicit GitRebase(CopySettings settings) : settings_{std::move(settings)} {}

    // Nothing when another attempt works on this fork. Throws GitError, and std::system_error for the cache.
    [[nodiscard]] std::optional<Report> rebase(const Order& order, const Hooks& hooks, const std::stop_token& stop);

private:
    const CopySettings settings_;
};

}  // namespace millrace::handlers::forks
