#include "adapters/git_source.hpp"

#include "adapters/file_lock.hpp"
#include "adapters/process.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace millrace::adapters {
namespace {

using Kind = SourceControlError::Kind;

constexpr std::size_t max_shown = 1000;                 // bytes of what is quoted in an error
constexpr auto side = "pipeline";                       // of the mirror's refs
constexpr std::chrono::milliseconds between_looks{50};  // at a lock that somebody else has

bool is_commit_id(std::string_view text) {
    return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// FNV-1a (Fowler, Noll, Vo; 64 bits): the same in every build of this program, unlike std::hash.
std::uint64_t fingerprint(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : text)
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    return hash;
}

// "ssh://git@example.org:22/shop.git" and "/srv/shop.git" as host and path.
std::string place_of(std::string url) {
    if (const auto scheme = url.find("://"); scheme != url.npos) url.erase(0, scheme + 3);
    if (const auto at = url.find('@'); at < url.find('/')) url.erase(0, at + 1);
    if (url.starts_with('/')) url.insert(0, "localhost");
    while (url.ends_with('/'))
        url.pop_back();
    if (url.ends_with(".git")) url.resize(url.size() - 4);
    return url;
}

// The first part is for people who look into the cache; the fingerprint keeps two remotes apart.
std::string directory_name(const std::string& url) {
    constexpr std::size_t max_name = 40;
    const auto place = place_of(url);
    auto name = place.substr(place.rfind('/') + 1, max_name);
    std::replace_if(
        name.begin(), name.end(), [](unsigned char byte) { return std::isalnum(byte) == 0; }, '-');
    return fmt::format("{}-{:016x}.git", name, fingerprint(url));
}

FileLock wait_for(const std::filesystem::path& file, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock waiting{mutex};
    while (!stop.stop_requested()) {
        if (auto lock = FileLock::try_acquire(file)) return *std::move(lock);
        stopped.wait_for(waiting, stop, between_looks, [] { return false; });
    }
    throw SourceControlError{Kind::passing, "asked to stop while another worker fetches"};
}

// What the mirror can say as it is: mostly all, and each question that is asked before is one more process. Nothing: it
// lacks a commit, or more than that.
template <class Question>
auto as_it_is(const Question& question) -> std::optional<decltype(question())> {
    try {
        return question();
    } catch (const GitError&) {
        return std::nullopt;
    }
}

// Tells a mirror from one that was made in its place; 0: there is none.
ino_t identity_of(const std::filesystem::path& directory) {
    struct stat status {};
    return stat(directory.c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

GitSource::GitSource(Settings settings)
    : settings_{std::move(settings)},
      uri_prefix_{fmt::format("git://{}/ref/{}/", place_of(settings_.remote.url), settings_.branch.name)},
      mirror_{settings_.cache / "mirrors" / directory_name(settings_.remote.url)} {}

// What git could not do may work later: the network, the remote, a commit that has not arrived. A mirror that is not to
// blame is kept: another one is a whole history, which would come over the same network to the same disk.
template <class Question>
auto GitSource::ask(const std::stop_token& stop, const Question& question) {
    Git mirror{mirror_, settings_.git, stop};
    const auto asked = identity_of(mirror_);
    try {
        try {
            return question(mirror);
        } catch (const GitError& error) {
            if (error.cause() == GitError::Cause::other || asked == 0 || stop.stop_requested() ||
                !tip(settings_.branch, stop))
                throw;
        }
        {
            const auto held = lock(stop);
            if (identity_of(mirror_) == asked) make(stop);  // else somebody else has
        }
        return question(mirror);
    } catch (const GitError& error) {
        throw SourceControlError{Kind::passing, error.what()};
    }
}

std::string GitSource::latest(const std::stop_token& stop) {
    try {
        return uri_prefix_ + head(stop).sha;
    } catch (const GitError& error) {
        throw SourceControlError{Kind::passing, error.what()};
    }
}

SourceControl::Ancestry GitSource::ancestry(const Range& uris, const std::stop_token& stop) {
    const Commit head{commit_of(uris.head)};
    if (!uris.base.starts_with(uri_prefix_)) return Ancestry::unknown_base;  // of another remote or branch than now
    const Commit base{commit_of(uris.base)};
    return ask(stop, [&](Git& mirror) {
        auto is_ancestor = as_it_is([&] { return mirror.is_ancestor(base, head); });
        if (!is_ancestor) {
            need(mirror, head, stop);
            if (!mirror.has(base)) return Ancestry::unknown_base;
            is_ancestor = mirror.is_ancestor(base, head);
        }
        return *is_ancestor ? Ancestry::ancestor : Ancestry::not_ancestor;
    });
}

SourceControl::Change GitSource::change_info(const std::string& uri, const std::stop_token& stop) {
    auto changes = history(uri, 1, stop).changes;
    return std::move(changes.at(0));
}

SourceControl::History GitSource::history(const std::string& cursor, int limit, const std::stop_token& stop) {
    const auto page = static_cast<std::size_t>(std::clamp(limit, 1, most_changes));
    auto from = cursor.empty() ? std::optional<Commit>{} : Commit{commit_of(cursor)};
    return ask(stop, [&](Git& mirror) {
        const auto first = from ? *from : head(stop);
        const auto list = [&] { return mirror.first_parents(first, static_cast<int>(page) + 1); };
        auto commits = as_it_is(list);
        if (!commits) {
            need(mirror, first, stop);
            commits = list();
        }
        History history;
        for (const auto& [commit, committed] : *commits) {
            if (history.changes.size() == page) {
                history.next = uri_prefix_ + commit.sha;
                break;
            }
            history.changes.push_back({uri_prefix_ + commit.sha, committed});
        }
        return history;
    });
}

SourceControl::Promotion GitSource::promote(const std::string& uri, const std::string& ref,
                                            const std::stop_token& stop) {
    const Commit commit{commit_of(uri)};
    return ask(stop, [&](Git& mirror) {
        const auto head = tip(settings_.branch, stop);
        if (!head) return Promotion::vanished;
        need(mirror, *head, stop);
        if (!mirror.has(commit) || !mirror.is_ancestor(commit, *head)) return Promotion::vanished;
        const Branch promoted{ref};
        const auto before = tip(promoted, stop);
        if (before == commit) return Promotion::was_there;
        try {
            mirror.push(settings_.remote, {promoted, before.value_or(Commit{}), commit});
        } catch (const GitError& error) {  // the remote's word: no other mirror would change its mind
            throw SourceControlError{Kind::passing, error.what()};
        }
        return Promotion::moved;
    });
}

std::string GitSource::commit_of(const std::string& uri) const {
    if (uri.starts_with(uri_prefix_) && is_commit_id(std::string_view{uri}.substr(uri_prefix_.size()))) {
        return uri.substr(uri_prefix_.size());
    }
    throw SourceControlError{Kind::lasting,
                             fmt::format("{} is not a commit of {}", core::printable(uri, max_shown), uri_prefix_)};
}

void GitSource::check_out(const std::string& uri, const std::filesystem::path& directory, const std::stop_token& stop) {
    const Commit commit{commit_of(uri)};
    const auto git = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"git", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0"});
        auto environment = settings_.git.environment;
        environment.insert(environment.end(), {"LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
                                               "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=file"});
        ProcessLimits limits;
        limits.time = settings_.git.command_limit;
        limits.excess = ProcessLimits::Excess::drops_the_beginning;
        const auto end = run_process({std::move(words), std::move(environment), "/"}, limits, stop);
        if (!end.succeeded()) throw failure("of the check-out of " + commit.sha, end);
    };
    ask(stop, [&](Git& mirror) {
        need(mirror, commit, stop);
        std::filesystem::remove_all(directory);
        {
            // Hard links to the mirror's files, which nobody may write meanwhile: the clone outlives the mirror.
            const auto held = lock(stop);
            git({"clone", "--quiet", "--local", "--no-checkout", "--template=", "--", mirror_.string(),
                 directory.string()});
        }
        try {
            // Not `checkout`, which ends with 0 although it could not write a file.
            git({"-C", directory.string(), "update-ref", "--no-deref", "HEAD", commit.sha});
            git({"-C", directory.string(), "reset", "--quiet", "--hard"});
        } catch (const GitError& error) {
            // A full disk, say, or a name that is too long for this host; unless the commit cannot be read, either.
            git({"-C", directory.string(), "archive", "--format=tar", "--output=/dev/null", commit.sha});
            throw SourceControlError{Kind::passing, error.what()};
        }
    });
}

// Asks the remote alone: the mirror need not be there, nor be whole.
std::optional<Commit> GitSource::tip(const Branch& branch, const std::stop_token& stop) const {
    return Git{settings_.cache / "no-repository", settings_.git, stop}.tip(settings_.remote, branch);
}

Commit GitSource::head(const std::stop_token& stop) const {
    if (auto head = tip(settings_.branch, stop)) return *std::move(head);
    throw SourceControlError{Kind::passing, fmt::format("there is no branch {}", settings_.branch.name)};
}

void GitSource::need(Git& mirror, const Commit& commit, const std::stop_token& stop) {
    if (std::filesystem::exists(mirror_) && mirror.has(commit)) return;
    const auto held = lock(stop);
    if (!std::filesystem::exists(mirror_)) {
        make(stop);
    } else if (!mirror.has(commit)) {  // nobody has fetched it while we waited
        fetch(mirror);
    }
    if (!mirror.has(commit)) {
        throw SourceControlError{Kind::passing,
                                 fmt::format("branch {} has no commit {}", settings_.branch.name, commit.sha)};
    }
}

FileLock GitSource::lock(const std::stop_token& stop) const {
    std::filesystem::create_directories(mirror_.parent_path());
    return wait_for(beside(".lock"), stop);
}

std::filesystem::path GitSource::beside(const char* suffix) const {
    auto path = mirror_;
    return path += suffix;
}

void GitSource::fetch(Git& mirror) {
    std::ignore = mirror.fetch(settings_.remote, settings_.branch, side);
    mirror.index_commits();
}

// Under another name until it is whole: a worker that is killed leaves no half mirror, and one that cannot fetch the
// old one.
void GitSource::make(const std::stop_token& stop) {
    const auto unfinished = beside(".new");
    const auto abandoned = beside(".old");
    std::filesystem::remove_all(unfinished);
    std::filesystem::remove_all(abandoned);
    Git mirror{unfinished, settings_.git, stop};
    mirror.create();
    fetch(mirror);
    if (std::filesystem::exists(mirror_)) std::filesystem::rename(mirror_, abandoned);
    std::filesystem::rename(unfinished, mirror_);
    std::filesystem::remove_all(abandoned);
}

}  // namespace millrace::adapters
