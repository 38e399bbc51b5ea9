#pragma once
// Brings one branch of a fork up to date with plain git, for any forge and for none.
//
//     the branch is missing on either side            → skipped
//     the fork has all that the upstream has          → current
//     the upstream has all that the fork has          → fast-forward, pushed: updated
//     both have something, and it merges              → merge commit, pushed: updated
//     both have something, and it does not merge,
//     or they have no commit in common                → conflict: a person must decide
//
// A push names the commit that the fork's branch must be at; when somebody else pushed meanwhile nothing happens, and
// the next attempt sees what they pushed. What is pushed always contains what was there.
//
// The same two commits always make the same merge commit. A push that was announced and is found there counts as
// updated, so that an attempt which follows a dead one reports what it did.
//
// A comparison that fails leaves the difference unknown; what was synchronised stays so.
//
// One attempt at a time works on a fork, on this host: the copy is its own. On several hosts two may meet, which costs
// one of them a rejected push.
//
// Thread rule: any thread.

#include "adapters/git.hpp"
#include "handlers/forks/fork_copy.hpp"
#include "storage/forks_store.hpp"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace millrace::handlers::forks {

class GitProvider {
public:
    using Settings = CopySettings;
    struct Order {
        std::string fork;  // org/name
        adapters::Branch branch;
        adapters::Remote origin;
        adapters::Remote upstream;
        std::optional<storage::PushIntent> intent;  // of an earlier attempt
        int attempt = 1;
        bool compares = false;  // also finds out how the branch differs from its upstream afterwards
    };
    // Called before a push. What it throws prevents the push.
    using Announce = std::function<void(const storage::PushIntent&)>;

    explicit GitProvider(Settings settings) : settings_{std::move(settings)} {}

    // Nothing when another attempt works on this fork. Throws GitError, and std::system_error for the cache.
    [[nodiscard]] std::optional<storage::SyncResult> sync(const Order& order, const Announce& announce,
                                                          const std::stop_token& stop);

private:
    const Settings settings_;
};

}  // namespace millrace::handlers::forks
