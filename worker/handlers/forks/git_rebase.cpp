#include "handlers/forks/git_rebase.hpp"

#include "adapters/git_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace millrace::handlers::forks {
namespace {

using adapters::Commit;
using adapters::Git;
using adapters::GitError;
using adapters::RemoteBranch;
using storage::StepItem;

constexpr auto side = "origin";

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<RemoteBranch> chosen(Git& git, const GitRebase::Order& order) {
    auto branches = git.branches(order.origin, order.globs);
    const auto stays = [&](const RemoteBranch& found) { return !GitRebase::is_meant(order, found.branch.name); };
    branches.erase(std::remove_if(branches.begin(), branches.end(), stays), branches.end());
    if (branches.size() > GitRebase::most_branches) {
        throw GitError{fmt::format("{} branches are to be rebased, at most {} are: name them more closely",
                                   branches.size(), GitRebase::most_branches),
                       GitError::Cause::other};
    }
    return branches;
}

StepItem rebased(Git& git, const GitRebase::Order& order, const GitRebase::Hooks& hooks, const RemoteBranch& found,
                 const Commit& base) {
    const auto& name = found.branch.name;
    const auto tip = git.fetch(order.origin, found.branch, side);
    if (git.is_ancestor(base, tip)) {
        if (order.intent && order.intent->after_sha == tip.sha) {
            return {name, "rebased", "by an attempt that was interrupted"};
        }
        return {name, "up to date", ""};
    }
    const auto outcome = git.rebase({tip, base});
    if (const auto* conflict = std::get_if<adapters::MergeConflict>(&outcome)) {
        return {name, "conflict",
                conflict->is_unrelated ? fmt::format("has commits that have none in common with {}", order.onto.name)
                                       : both_changed(conflict->paths)};
    }
    const auto& made = std::get<adapters::Rebased>(outcome);
    hooks.announce({tip.sha, made.tip.sha});
    git.push(order.origin, {.branch = found.branch, .expected = tip, .commit = made.tip});
    const auto* const commits = made.commits == 1 ? "commit" : "commits";
    return {name, "rebased", fmt::format("{} {} on {}", made.commits, commits, order.onto.name)};
}

Commit base_of(ForkCopy& copy, const GitRebase::Order& order, const std::stop_token& stop) {
    try {
        if (copy.git().tip(order.origin, order.onto)) return copy.git().fetch(order.origin, order.onto, side);
        throw GitError{fmt::format("the fork has no branch {}", order.onto.name), GitError::Cause::other};
    } catch (const GitError& error) {
        copy.note(error, order.attempt, stop);
        throw;
    }
}

// Why it failed, if it did.
std::optional<GitError> settle(Git& git, const GitRebase::Order& order, const GitRebase::Hooks& hooks,
                               const RemoteBranch& found, const Commit& base, const std::stop_token& stop) {
    try {
        hooks.record(rebased(git, order, hooks, found, base));
        return std::nullopt;
    } catch (const GitError& error) {
        if (stop.stop_requested()) throw;
        if (order.is_last) hooks.record({found.branch.name, "failed", error.what()});
        return error;
    }
}

}  // namespace

bool GitRebase::is_meant(const Order& order, const std::string& branch) {
    if (branch == order.onto.name || contains(order.listed, branch)) return false;
    return std::any_of(order.globs.begin(), order.globs.end(),
                       [&](const std::string& glob) { return adapters::fits(branch, glob); });
}

std::optional<GitRebase::Report> GitRebase::rebase(const Order& order, const Hooks& hooks,
                                                   const std::stop_token& stop) {
    auto settings = settings_;
    // In front: of two variables of one name the first counts.
    settings.git.environment.insert(settings.git.environment.begin(), order.environment.begin(),
                                    order.environment.end());
    auto copy = ForkCopy::try_open(settings, order.fork, stop);
    if (!copy) return std::nullopt;
    const auto branches = chosen(copy->git(), order);
    Report report{branches.size(), "", ""};
    if (branches.empty()) return report;

    const auto base = base_of(*copy, order, stop);
    std::optional<GitError> suspect;  // after the last branch: the others need the copy
    for (const auto& found : branches) {
        if (contains(order.done, found.branch.name)) continue;
        if (const auto problem = adapters::branch_problem(found.branch.name)) {
            report.unfit = fmt::format("the name of a branch {}", *problem);
            continue;
        }
        const auto error = settle(copy->git(), order, hooks, found, base, stop);
        if (!error) continue;
        if (report.error.empty()) report.error = fmt::format("{}: {}", found.branch.name, error->what());
        if (error->cause() != GitError::Cause::other) suspect.emplace(*error);
    }
    if (suspect) copy->note(*suspect, order.attempt, stop);
    return report;
}

}  // namespace millrace::handlers::forks
