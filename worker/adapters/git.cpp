#include "adapters/git.hpp"

#include "adapters/git_names.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <regex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace millrace::adapters {
namespace {

constexpr std::size_t max_error_bytes = 1000;
constexpr std::size_t max_conflict_paths = 1000;
constexpr auto author_variables =
    std::array{"GIT_AUTHOR_NAME=millrace", "GIT_AUTHOR_EMAIL=millrace@millrace.invalid", "GIT_COMMITTER_NAME=millrace",
               "GIT_COMMITTER_EMAIL=millrace@millrace.invalid"};

std::vector<std::string> isolated(std::vector<std::string> environment) {
    for (const auto* variable :
         {"LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
          "GIT_ALLOW_PROTOCOL=file:git:http:https:ssh", "GIT_NO_REPLACE_OBJECTS=1",
          // ssh asks a person on the terminal unless it is told to ask a program; this one knows nothing.
          "SSH_ASKPASS=/bin/false", "SSH_ASKPASS_REQUIRE=force"}) {
        environment.emplace_back(variable);
    }
    return environment;
}

std::string shown(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.remove_suffix(1);
    return core::printable(without_credentials(text), max_error_bytes);
}

bool says_one_of(const std::vector<std::string>& words, const std::string& errors) {
    return std::any_of(words.begin(), words.end(), [&](const auto& said) { return errors.find(said) != errors.npos; });
}

// What a fetch says when the other side, or the way there, has failed. That the other side hung up is not among it:
// over ssh and from files it says so itself, after a git of ours that has failed.
bool blames_the_remote(const std::string& errors) {
    return says_one_of({"early EOF", "RPC failed", "unexpected disconnect", "Could not resolve", "unable to access",
                        "Could not read from remote", "on the remote side"},
                       errors);
}

// A git that was ended (out of time, out of memory) has met nothing that another repository would spare it, nor has one
// that met a full disk. One that crashed may have read what was damaged.
bool blames_the_host(const ProcessEnd& end) {
    if (end.reason == ProcessEnd::Reason::exited)
        return says_one_of({"No space left on device", "Disk quota exceeded"}, end.errors);
    const bool has_crashed = end.code == SIGSEGV || end.code == SIGBUS || end.code == SIGABRT;
    return end.reason != ProcessEnd::Reason::killed || !has_crashed;
}

ProcessEnd start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                 std::chrono::milliseconds limit, const std::stop_token& stop) {
    ProcessLimits limits;
    limits.time = limit;
    limits.excess = ProcessLimits::Excess::drops_the_beginning;  // what comes last is why it failed
    try {
        return run_process({arguments, environment, "/"}, limits, stop);
    } catch (const std::system_error& error) {
        throw GitError{error.what(), GitError::Cause::other};
    }
}

bool exited_with(const ProcessEnd& end, int code) {
    return end.reason == ProcessEnd::Reason::exited && end.code == code;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

// The decimal digits that a text begins with.
int number_of(const std::string& text) {
    int number = 0;
    const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || number < 0) throw GitError{"git rev-list: its counts cannot be read"};
    return number;
}

std::string ref_of(const Branch& branch) {
    return "refs/heads/" + branch.name;
}

// One component, however many the branch has: `a` may have become `a/b` since it was last fetched, and a repository
// cannot hold both. No name of a branch needs more than its slashes escaped, and the escape itself.
std::string copy_of(const Branch& branch, const std::string& side) {
    std::string name;
    for (const char letter : branch.name) {
        if (letter == '/' || letter == '%') {
            name += letter == '/' ? "%2F" : "%25";
        } else {
            name += letter;
        }
    }
    return fmt::format("refs/millrace/{}/{}", side, name);
}

void require_branch(const Branch& branch) {
    if (const auto problem = branch_problem(branch.name))
        throw GitError{"the name of the branch " + *problem, GitError::Cause::other};
}

void require_remote(const Remote& remote) {
    if (const auto problem = remote_problem(remote.url))
        throw GitError{"the address of the repository " + *problem, GitError::Cause::other};
}

}  // namespace

GitError failure(const std::string& verb, const ProcessEnd& end) {
    const auto said = shown(end.errors.empty() ? end.output : end.errors);
    const bool is_elsewhere = verb == "ls-remote" || verb == "push" || blames_the_host(end) ||
                              (verb == "fetch" && blames_the_remote(end.errors));
    return GitError{fmt::format("git {} {}{}{}", verb, describe(end), said.empty() ? "" : ": ", said),
                    is_elsewhere ? GitError::Cause::other : GitError::Cause::perhaps_the_repository};
}

std::optional<std::string> git_problem(const GitSettings& settings) {
    constexpr auto needed = "git 2.38 or later is needed";
    try {
        const auto end = start({"git", "version"}, isolated(settings.environment), settings.command_limit, {});
        static const std::regex form{R"(git version ([0-9]{1,4})\.([0-9]{1,4})(?:[^0-9][\s\S]*)?)"};
        std::smatch version;
        if (!end.succeeded() || !std::regex_match(end.output, version, form)) {
            return fmt::format("{}; `git version` says: {}", needed, shown(end.output + end.errors));
        }
        const std::pair found{std::stoi(version[1].str()), std::stoi(version[2].str())};
        if (found >= std::pair{2, 38}) return std::nullopt;
        return fmt::format("{}; this host has {}.{}", needed, found.first, found.second);
    } catch (const GitError& error) {
        return fmt::format("{}: {}", needed, error.what());
    }
}

Git::Git(std::filesystem::path repository, const GitSettings& settings, std::stop_token stop)
    : repository_{std::move(repository)}, settings_{settings}, stop_{std::move(stop)} {}

ProcessEnd Git::run(const std::vector<std::string>& words, const std::vector<std::string>& variables) {
    return run_within(settings_.command_limit, words, variables);
}

ProcessEnd Git::run_within(std::chrono::milliseconds limit, const std::vector<std::string>& words,
                           const std::vector<std::string>& variables) {
    std::vector<std::string> arguments{"git", "--git-dir=" + repository_.string()};
    for (const auto* setting : {"core.hooksPath=/dev/null", "gc.autoDetach=false",  // it would be killed with its group
                                "http.lowSpeedLimit=100", "http.lowSpeedTime=60"}) {
        arguments.insert(arguments.end(), {"-c", setting});
    }
    arguments.insert(arguments.end(), words.begin(), words.end());
    auto environment = isolated(settings_.environment);
    environment.insert(environment.end(), variables.begin(), variables.end());
    return start(arguments, environment, limit, stop_);
}

std::string Git::output_of(const std::vector<std::string>& words, const std::vector<std::string>& variables) {
    auto end = run(words, variables);
    if (!end.succeeded()) throw failure(words.front(), end);
    if (end.is_cut) {
        throw GitError{fmt::format("git {}: its output is too long", words.front()), GitError::Cause::other};
    }
    return std::move(end.output);
}

void Git::create() {
    // Safe over one that is there; no template, which would bring hooks.
    output_of({"init", "--quiet", "--bare", "--template=", "--initial-branch=none"});
}

std::optional<Commit> Git::tip(const Remote& remote, const Branch& branch) {
    require_remote(remote);
    require_branch(branch);
    const auto ref = ref_of(branch);
    const auto output = output_of({"ls-remote", "--quiet", "--refs", "--", remote.url, ref});
    // A pattern matches the end of a name as well: refs/heads/refs/heads/main.
    for (std::size_t start = 0; start < output.size();) {
        const auto end = std::min(output.find('\n', start), output.size());
        const auto tab = output.find('\t', start);
        if (tab < end && output.compare(tab + 1, end - tab - 1, ref) == 0)
            return Commit{output.substr(start, tab - start)};
        start = end + 1;
    }
    return std::nullopt;
}

std::vector<RemoteBranch> Git::branches(const Remote& remote, const std::vector<std::string>& globs) {
    require_remote(remote);
    constexpr std::string_view folder{"refs/heads/"};
    std::vector<std::string> words{"ls-remote", "--quiet", "--refs", "--", remote.url};
    for (const auto& glob : globs)
        words.push_back(std::string{folder} + glob);
    const auto end = run(words);
    if (!end.succeeded()) throw failure("ls-remote", end);
    if (end.is_cut) throw GitError{"git ls-remote: more branches match than can be listed", GitError::Cause::other};
    std::vector<RemoteBranch> found;
    for (std::size_t start = 0; start < end.output.size();) {
        const auto line_end = std::min(end.output.find('\n', start), end.output.size());
        const auto line = std::string_view{end.output}.substr(start, line_end - start);
        start = line_end + 1;
        const auto tab = line.find('\t');
        if (tab == line.npos || !line.substr(tab + 1).starts_with(folder)) continue;
        const std::string name{line.substr(tab + 1 + folder.size())};
        // A pattern matches the end of a name as well: refs/heads/x/refs/heads/main.
        const bool is_meant =
            std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return fits(name, glob); });
        if (is_meant) found.push_back({{name}, {std::string{line.substr(0, tab)}}});
    }
    std::sort(found.begin(), found.end(),
              [](const auto& one, const auto& other) { return one.branch.name < other.branch.name; });
    return found;
}

Commit Git::fetch(const Remote& remote, const Branch& branch, const std::string& side) {
    require_remote(remote);
    require_branch(branch);
    const auto copy = copy_of(branch, side);
    const auto end = run_within(settings_.fetch_limit,
                                {"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
                                 "--", remote.url, fmt::format("+{}:{}", ref_of(branch), copy)});
    if (!end.succeeded()) throw failure("fetch", end);
    return Commit{first_line(output_of({"rev-parse", "--verify", "--quiet", copy + "^{commit}"}))};
}

bool Git::has(const Commit& commit) {
    const auto end = run({"cat-file", "-e", commit.sha + "^{commit}"});
    if (end.succeeded()) return true;
    // What git cannot read it calls absent too, but complains of it before.
    if (exited_with(end, 128) && end.errors.starts_with("fatal: Not a valid object name")) return false;
    throw failure("cat-file", end);
}

bool Git::is_ancestor(const Commit& ancestor, const Commit& descendant) {
    const auto end = run({"merge-base", "--is-ancestor", ancestor.sha, descendant.sha});
    if (end.succeeded()) return true;
    if (exited_with(end, 1)) return false;
    throw failure("merge-base", end);
}

std::vector<DatedCommit> Git::first_parents(const Commit& from, int limit) {
    const auto listed =
        output_of({"rev-list", "--first-parent", "--timestamp",
                   fmt::format("--max-count={}", std::clamp(limit, 0, most_first_parents)), from.sha, "--"});
    std::vector<DatedCommit> commits;
    for (std::size_t start = 0; start < listed.size();) {
        // seconds since 1970, a space, the commit
        const auto end = std::min(listed.find('\n', start), listed.size());
        std::int64_t seconds = 0;
        const auto [rest, failure] = std::from_chars(listed.data() + start, listed.data() + end, seconds);
        const auto* last = listed.data() + end;
        if (failure != std::errc{} || rest == last) throw GitError{"git rev-list: its list cannot be read"};
        commits.push_back(
            {Commit{std::string{rest + 1, last}}, std::chrono::sys_seconds{std::chrono::seconds{seconds}}});
        start = end + 1;
    }
    return commits;
}

void Git::index_commits() {
    output_of({"commit-graph", "write", "--reachable", "--split", "--no-progress"});
}

Divergence Git::compare(const Commit& ours, const Commit& theirs) {
    const auto counts = output_of({"rev-list", "--left-right", "--count", theirs.sha + "..." + ours.sha, "--"});
    const auto tab = counts.find('\t');
    if (tab == counts.npos) throw GitError{"git rev-list: its counts cannot be read"};
    Divergence divergence{.ahead = number_of(counts.substr(tab + 1)), .behind = number_of(counts), .subjects = {}};
    const auto listed = output_of(
        {"log", "-z", "--format=%s", fmt::format("--max-count={}", most_subjects), theirs.sha + ".." + ours.sha, "--"});
    for (std::size_t start = 0; start < listed.size();) {
        const auto end = std::min(listed.find('\0', start), listed.size());
        divergence.subjects.push_back(listed.substr(start, end - start));
        start = end + 1;
    }
    return divergence;
}

std::variant<Commit, MergeConflict> Git::merge(const MergePlan& plan) {
    const auto merged = merged_tree(plan.ours, plan.theirs);
    if (const auto* conflict = std::get_if<MergeConflict>(&merged)) return *conflict;
    std::vector<std::string> variables{author_variables.begin(), author_variables.end()};
    const auto seconds = first_line(output_of({"show", "--no-patch", "--format=%ct", plan.theirs.sha}));
    for (const auto* who : {"AUTHOR", "COMMITTER"})
        variables.push_back(fmt::format("GIT_{}_DATE=@{} +0000", who, seconds));
    return Commit{first_line(output_of(
        {"commit-tree", std::get<std::string>(merged), "-p", plan.ours.sha, "-p", plan.theirs.sha, "-m", plan.message},
        variables))};
}

std::variant<std::string, MergeConflict> Git::merged_tree(const Commit& ours, const Commit& theirs) {
    const auto base = run({"merge-base", ours.sha, theirs.sha});
    if (exited_with(base, 1)) return MergeConflict{.paths = {}, .is_unrelated = true};
    if (!base.succeeded()) throw failure("merge-base", base);

    const auto merged = run({"merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours.sha, theirs.sha});
    if (!merged.succeeded() && !exited_with(merged, 1)) throw failure("merge-tree", merged);
    // The tree, then the paths in conflict, each ended by NUL. Where the beginning was dropped, what is left of the
    // path that was cut goes as the tree would: it is a conflict all the same.
    auto tree = merged.output.substr(0, merged.output.find('\0'));
    if (!merged.succeeded()) {
        MergeConflict conflict;
        for (auto start = tree.size() + 1;
             start < merged.output.size() && conflict.paths.size() < max_conflict_paths;) {
            conflict.paths.emplace_back(merged.output.c_str() + start);
            start += conflict.paths.back().size() + 1;
        }
        return conflict;
    }
    return tree;
}

std::variant<Rebased, MergeConflict> Git::rebase(const RebasePlan& plan) {
    const auto base = run({"merge-base", plan.onto.sha, plan.branch.sha});
    if (exited_with(base, 1)) return MergeConflict{.paths = {}, .is_unrelated = true};
    if (!base.succeeded()) throw failure("merge-base", base);

    const auto listed =
        output_of({"rev-list", "--reverse", "--topo-order", "--no-merges", "--right-only", "--cherry-pick",
                   fmt::format("--max-count={}", most_rebased + 1), plan.onto.sha + "..." + plan.branch.sha, "--"});
    if (std::count(listed.begin(), listed.end(), '\n') > most_rebased) {
        throw GitError{fmt::format("more than {} commits would be rebased", most_rebased), GitError::Cause::other};
    }
    Point tip{plan.onto, first_line(output_of({"rev-parse", "--verify", "--quiet", plan.onto.sha + "^{tree}"}))};
    Rebased rebased{plan.onto, 0};
    for (std::size_t start = 0; start < listed.size();) {
        const auto end = std::min(listed.find('\n', start), listed.size());
        auto picked = pick({listed.substr(start, end - start)}, tip);
        start = end + 1;
        if (auto* conflict = std::get_if<MergeConflict>(&picked)) return std::move(*conflict);
        tip = std::get<Point>(std::move(picked));
        if (tip.commit == rebased.tip) continue;
        rebased = {tip.commit, rebased.commits + 1};
    }
    return rebased;
}

// What a commit does to its parent is done to `onto`: the merge of the two, had both come from that parent. `git
// merge-tree` takes the common ancestor from the history alone, so `onto` gets one of its own for the moment.
std::variant<Git::Point, MergeConflict> Git::pick(const Commit& commit, const Point& onto) {
    enum Field : std::size_t { parent, author, address, authored, committed, message, fields };
    const auto shown = output_of({"show", "--no-patch", "--encoding=UTF-8", "--date=raw",
                                  "--format=%P%x00%an%x00%ae%x00%ad%x00%ct%x00%B", commit.sha});
    std::array<std::string, fields> told;
    std::size_t start = 0;
    for (std::size_t field = 0; field < fields; ++field) {
        const auto end = field == message ? shown.find_last_not_of('\n') + 1 : shown.find('\0', start);
        if (end == shown.npos) throw GitError{"git show: a commit cannot be read"};
        told.at(field) = shown.substr(start, std::max(end, start) - start);
        start = end + 1;
    }
    if (told[parent].empty()) return MergeConflict{.paths = {}, .is_unrelated = true};

    std::vector<std::string> ours{author_variables.begin(), author_variables.end()};
    ours.insert(ours.end(), {"GIT_AUTHOR_DATE=@0 +0000", "GIT_COMMITTER_DATE=@0 +0000"});
    const Commit stand_in{
        first_line(output_of({"commit-tree", onto.tree, "-p", told[parent], "-m", "stands in"}, ours))};
    auto merged = merged_tree(stand_in, commit);
    if (auto* conflict = std::get_if<MergeConflict>(&merged)) return std::move(*conflict);
    auto& tree = std::get<std::string>(merged);
    if (tree == onto.tree) return onto;

    const std::vector<std::string> variables{"GIT_AUTHOR_NAME=" + told[author],
                                             "GIT_AUTHOR_EMAIL=" + told[address],
                                             "GIT_AUTHOR_DATE=@" + told[authored],
                                             author_variables[2],
                                             author_variables[3],
                                             fmt::format("GIT_COMMITTER_DATE=@{} +0000", told[committed])};
    Commit made{first_line(output_of({"commit-tree", tree, "-p", onto.commit.sha, "-m", told[message]}, variables))};
    return Point{std::move(made), std::move(tree)};
}

void Git::push(const Remote& remote, const PushPlan& plan) {
    require_remote(remote);
    require_branch(plan.branch);
    const auto ref = ref_of(plan.branch);
    const auto end = run({"push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no",
                          fmt::format("--force-with-lease={}:{}", ref, plan.expected.sha), "--", remote.url,
                          fmt::format("{}:{}", plan.commit.sha, ref)});
    if (end.succeeded()) return;
    if (end.output.find("(stale info)") != end.output.npos) {
        throw GitError{fmt::format("git push: {} has moved meanwhile, nothing was pushed", plan.branch.name),
                       GitError::Cause::other};
    }
    auto told = end;
    told.errors = end.errors + end.output;
    throw failure("push", told);
}

}  // namespace millrace::adapters
