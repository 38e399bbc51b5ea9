#pragma once
// A bare repository on this host, and what we do with it: a verb for each git command, run as a process, never through
// a shell.
//
// Nothing but the command line decides what git does: no configuration of the system or of a user, no hook, no prompt,
// no transport but those of https, http, ssh, git and files. There is no work tree: merges are made of trees alone
// (git 2.38), so that no content of a repository is ever written out or run. Credentials come from where git's
// transports look by themselves: the ~/.netrc and the ssh keys and agent of the account.
//
// All verbs throw GitError.
//
// Thread rule: one thread; several repositories side by side. `stop` may be requested from any thread.

#include "adapters/process.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace millrace::adapters {

// What git said, fit to be shown: bounded, without credentials.
class GitError : public std::runtime_error {
public:
    enum class Cause {
        perhaps_the_repository,  // here, which another one may mend
        other,                   // a remote that refused, did not answer or broke off, a limit of ours, a host
                                 // without git, or without room
    };
    explicit GitError(const std::string& what, Cause cause = Cause::perhaps_the_repository)
        : std::runtime_error{what}, cause_{cause} {}
    [[nodiscard]] Cause cause() const noexcept { return cause_; }

private:
    Cause cause_;
};

struct Remote {
    std::string url;
};
struct Branch {
    std::string name;
};
struct Commit {
    std::string sha;  // in full
    friend bool operator==(const Commit&, const Commit&) = default;
};

struct DatedCommit {
    Commit commit;
    std::chrono::sys_seconds committed;  // as its committer's clock had it
};

struct GitSettings {
    std::vector<std::string> environment;  // NAME=value: PATH, HOME and the like
    std::chrono::milliseconds command_limit{std::chrono::minutes{10}};
    std::chrono::milliseconds fetch_limit{std::chrono::hours{24}};  // a whole history may come; jobs have a timeout
};

struct MergePlan {
    Commit ours;  // the first parent
    Commit theirs;
    std::string message;
};
struct MergeConflict {
    std::vector<std::string> paths;
    bool is_unrelated = false;  // no common commit: git merges such only when told to
};

struct RemoteBranch {
    Branch branch;
    Commit tip;
};

struct RebasePlan {
    Commit branch;
    Commit onto;
};
struct Rebased {
    Commit tip;
    int commits = 0;  // that were made anew
};

struct PushPlan {
    Branch branch;
    Commit expected;  // where the branch must be, or nothing is pushed; without a name: there must be none
    Commit commit;
};

struct Divergence {
    int ahead = 0;  // commits that ours has and theirs has not
    int behind = 0;
    std::vector<std::string> subjects;  // of those ahead, the newest first
};

// What a git that did not succeed is to be blamed for.
[[nodiscard]] GitError failure(const std::string& verb, const ProcessEnd& end);

// Why the git of this host will not do; nothing when it will.
[[nodiscard]] std::optional<std::string> git_problem(const GitSettings& settings);

class Git {
public:
    Git(std::filesystem::path repository, const GitSettings& settings, std::stop_token stop);

    // Makes the repository unless it is there.
    void create();

    // Where a remote's branch is; nothing when there is no such branch.
    [[nodiscard]] std::optional<Commit> tip(const Remote& remote, const Branch& branch);

    // A remote's branches whose names fit one of these, in which * stands for any text; by name.
    [[nodiscard]] std::vector<RemoteBranch> branches(const Remote& remote, const std::vector<std::string>& globs);

    // Brings a remote's branch here, whatever it was before; `side` tells several remotes apart. Where it is.
    [[nodiscard]] Commit fetch(const Remote& remote, const Branch& branch, const std::string& side);

    // Throws when the repository is damaged, rather than answer no.
    [[nodiscard]] bool has(const Commit& commit);
    [[nodiscard]] bool is_ancestor(const Commit& ancestor, const Commit& descendant);

    // The commit and those before it along first parents, the newest first.
    [[nodiscard]] std::vector<DatedCommit> first_parents(const Commit& from, int limit);
    static constexpr int most_first_parents = 10'000;

    // Writes down how the commits hang together: ancestry is found without reading each of them.
    void index_commits();

    // With up to `most_subjects` subjects, as they are: any bytes.
    [[nodiscard]] Divergence compare(const Commit& ours, const Commit& theirs);
    static constexpr int most_subjects = 1000;

    // The same plan always makes the same commit: its dates are those of `theirs`.
    [[nodiscard]] std::variant<Commit, MergeConflict> merge(const MergePlan& plan);

    // What the branch has of its own, commit by commit, on top of `onto`; with their authors, by a committer of ours.
    // Left out are merges, what `onto` has in other commits already, and what changes nothing there. The same plan
    // always makes the same commits. Throws also when there are more of them than that.
    [[nodiscard]] std::variant<Rebased, MergeConflict> rebase(const RebasePlan& plan);
    static constexpr int most_rebased = 250;

    // Throws also when the remote's branch has moved meanwhile, or the remote refuses.
    void push(const Remote& remote, const PushPlan& plan);

private:
    struct Point {
        Commit commit;
        std::string tree;
    };

    [[nodiscard]] std::variant<std::string, MergeConflict> merged_tree(const Commit& ours, const Commit& theirs);
    [[nodiscard]] std::variant<Point, MergeConflict> pick(const Commit& commit, const Point& onto);

    ProcessEnd run(const std::vector<std::string>& words, const std::vector<std::string>& variables = {});
    ProcessEnd run_within(std::chrono::milliseconds limit, const std::vector<std::string>& words,
                          const std::vector<std::string>& variables = {});
    std::string output_of(const std::vector<std::string>& words, const std::vector<std::string>& variables = {});

    std::filesystem::path repository_;
    GitSettings settings_;
    std::stop_token stop_;
};

}  // namespace millrace::adapters
