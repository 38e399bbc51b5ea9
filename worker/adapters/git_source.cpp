#include "adapters/git_source.hpp"

#include "adapters/file_lock.hpp"
#include "adapters/process.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>

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

// What git could not do may work later: the network, the remote, a commit that has not arrived.
template <class Use>
decltype(auto) passing(Use&& use) {
    try {
        return std::forward<Use>(use)();
    } catch (const GitError& error) {
        throw SourceControlError{Kind::passing, error.what()};
    }
}

}  // namespace

GitSource::GitSource(Settings settings)
    : settings_{std::move(settings)},
      uri_prefix_{fmt::format("git://{}/ref/{}/", place_of(settings_.remote.url), settings_.branch.name)},
      mirror_{settings_.cache / "mirrors" / directory_name(settings_.remote.url)} {}

std::string GitSource::latest(const std::stop_token& stop) {
    Git git{mirror_, settings_.git, stop};  // asks the remote alone: there need be no mirror
    const auto head = passing([&] { return git.tip(settings_.remote, settings_.branch); });
    if (!head) {
        throw SourceControlError{Kind::passing, fmt::format("there is no branch {}", settings_.branch.name)};
    }
    return uri_prefix_ + head->sha;
}

SourceControl::Ancestry GitSource::ancestry(const Range& uris, const std::stop_token& stop) {
    const Commit base{commit_of(uris.base)};
    const Commit head{commit_of(uris.head)};
    return passing([&] {
        need(head, stop);
        Git mirror{mirror_, settings_.git, stop};
        if (!mirror.has(base)) return Ancestry::unknown_base;
        return mirror.is_ancestor(base, head) ? Ancestry::ancestor : Ancestry::not_ancestor;
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
    passing([&] { need(commit, stop); });
    // A clone that borrows the mirror's objects: whatever a build does to it, the mirror stays as it is.
    const auto git = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"git", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0"});
        auto environment = settings_.git.environment;
        environment.insert(environment.end(), {"LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
                                               "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=file"});
        const auto end =
            run_process({std::move(words), std::move(environment), "/"}, {.time = settings_.git.command_limit}, stop);
        if (end.succeeded()) return;
        throw SourceControlError{Kind::passing, fmt::format("git, checking out {}, {}: {}", commit.sha, describe(end),
                                                            core::printable(end.errors, max_shown))};
    };
    git({"clone", "--quiet", "--shared", "--no-checkout", "--template=", "--", mirror_.string(), directory.string()});
    git({"-C", directory.string(), "checkout", "--quiet", "--detach", commit.sha, "--"});
}

void GitSource::need(const Commit& commit, const std::stop_token& stop) {
    Git mirror{mirror_, settings_.git, stop};
    if (std::filesystem::exists(mirror_) && mirror.has(commit)) return;
    fetch(mirror, stop);
    if (!mirror.has(commit)) {
        throw SourceControlError{Kind::passing,
                                 fmt::format("branch {} has no commit {}", settings_.branch.name, commit.sha)};
    }
}

void GitSource::fetch(Git& mirror, const std::stop_token& stop) {
    std::filesystem::create_directories(mirror_.parent_path());
    auto lock_file = mirror_;
    const auto lock = wait_for(lock_file += ".lock", stop);
    if (!std::filesystem::exists(mirror_)) {
        // Under another name until it is whole: a killed worker leaves no half mirror.
        auto unfinished = mirror_;
        unfinished += ".new";
        std::filesystem::remove_all(unfinished);
        Git{unfinished, settings_.git, stop}.create();
        std::filesystem::rename(unfinished, mirror_);
    }
    std::ignore = mirror.fetch(settings_.remote, settings_.branch, side);
}

}  // namespace millrace::adapters
