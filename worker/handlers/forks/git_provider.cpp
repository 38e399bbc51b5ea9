#include "handlers/forks/git_provider.hpp"

#include <fmt/format.h>

#include <utility>
#include <variant>

namespace millrace::handlers::forks {
namespace {

using adapters::Commit;
using adapters::Git;
using adapters::MergeConflict;
using storage::SyncResult;
using storage::SyncState;

struct Tips {
    Commit fork;
    Commit upstream;
};

std::string conflict_detail(const MergeConflict& conflict) {
    return conflict.is_unrelated ? "fork and upstream have no commit in common" : both_changed(conflict.paths);
}

// One attempt, with the fork's copy to itself.
class Attempt {
public:
    Attempt(Git git, const GitProvider::Order& order, const GitProvider::Announce& announce)
        : git_{std::move(git)}, order_{order}, announce_{announce} {}

    // Without a look at the commits themselves; nothing when that takes one.
    std::optional<SyncResult> judge_tips() {
        const auto fork = git_.tip(order_.origin, order_.branch);
        const auto upstream = git_.tip(order_.upstream, order_.branch);
        if (!fork || !upstream) {
            const auto* who = fork ? "the upstream has no" : upstream ? "the fork has no" : "neither side has a";
            const auto detail = fmt::format("{} branch {}", who, order_.branch.name);
            return SyncResult{SyncState::skipped, "", "", detail, std::nullopt};
        }
        if (*fork == *upstream && !order_.intent) {
            auto result = current(*fork);
            if (order_.compares) result.divergence = storage::Divergence{};
            return result;
        }
        return std::nullopt;
    }

    Tips fetch() {
        auto fork = git_.fetch(order_.origin, order_.branch, "origin");
        return {std::move(fork), git_.fetch(order_.upstream, order_.branch, "upstream")};
    }

    // Of a branch that is up to date.
    void compare(SyncResult& result, const Tips& tips) {
        if (!order_.compares || (result.state != SyncState::updated && result.state != SyncState::current)) return;
        try {
            auto found = git_.compare({result.after_sha}, tips.upstream);
            result.divergence = {found.ahead, found.behind, std::move(found.subjects)};
        } catch (const adapters::GitError&) {
            result.divergence.reset();
        }
    }

    SyncResult bring_together(const Tips& tips) {
        if (git_.is_ancestor(tips.upstream, tips.fork)) return current(tips.fork);
        if (git_.is_ancestor(tips.fork, tips.upstream)) return push(tips, tips.upstream, "fast-forward");
        const auto& name = order_.branch.name;
        auto merged = git_.merge({tips.fork, tips.upstream, fmt::format("Merge branch 'upstream:{0}' into {0}", name)});
        if (const auto* conflict = std::get_if<MergeConflict>(&merged)) {
            return {SyncState::conflict, tips.fork.sha, tips.fork.sha, conflict_detail(*conflict), std::nullopt};
        }
        return push(tips, std::get<Commit>(merged), "merge");
    }

private:
    // There is nothing to bring. Perhaps because an earlier attempt of this job did it.
    SyncResult current(const Commit& fork) {
        const auto& intent = order_.intent;
        if (intent && was_pushed({intent->after_sha}, fork)) {
            return {SyncState::updated, intent->before_sha, fork.sha, "by an attempt that was interrupted",
                    std::nullopt};
        }
        return {SyncState::current, fork.sha, fork.sha, "", std::nullopt};
    }

    bool was_pushed(const Commit& intended, const Commit& fork) {
        return intended == fork || (git_.has(intended) && git_.is_ancestor(intended, fork));
    }

    SyncResult push(const Tips& tips, const Commit& commit, const std::string& how) {
        // An earlier attempt's push counts as well, when it took place: the branch has come from before it.
        const auto& intent = order_.intent;
        const auto before = intent && was_pushed({intent->after_sha}, tips.fork) ? intent->before_sha : tips.fork.sha;
        announce_({before, commit.sha});
        git_.push(order_.origin, {.branch = order_.branch, .expected = tips.fork, .commit = commit});
        return {SyncState::updated, before, commit.sha, how, std::nullopt};
    }

    Git git_;
    const GitProvider::Order& order_;
    const GitProvider::Announce& announce_;
};

}  // namespace

std::optional<SyncResult> GitProvider::sync(const Order& order, const Announce& announce, const std::stop_token& stop) {
    auto copy = ForkCopy::try_open(settings_, order.fork, stop);
    if (!copy) return std::nullopt;
    Attempt attempt{copy->git(), order, announce};
    if (auto result = attempt.judge_tips()) return result;
    try {
        const auto tips = attempt.fetch();
        auto result = attempt.bring_together(tips);
        attempt.compare(result, tips);
        return result;
    } catch (const adapters::GitError& error) {
        copy->note(error, order.attempt, stop);
        throw;
    }
}

}  // namespace millrace::handlers::forks
