#pragma once
// The copy of a fork that is kept in the cache, so that only what is new is fetched; for one attempt alone.
//
// Thread rule: one thread holds a copy; any thread may try to open one.

#include "adapters/file_lock.hpp"
#include "adapters/git.hpp"

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::handlers::forks {

struct CopySettings {
    std::filesystem::path cache;  // absolute
    adapters::GitSettings git{};
};

class ForkCopy {
public:
    // Makes an empty one if need be. Nothing when another attempt on this host works on this fork. Throws GitError, and
    // std::system_error for the cache.
    [[nodiscard]] static std::optional<ForkCopy> try_open(const CopySettings& settings, const std::string& fork,
                                                          const std::stop_token& stop);

    [[nodiscard]] adapters::Git& git() noexcept { return git_; }

    // What failed may fail because the copy is broken: a host that crashed leaves half-written objects and lock files.
    // At the second attempt it is thrown away, and the next one begins with a new one. Not for what another repository
    // would not mend: a remote that is slow or breaks off, a limit of ours.
    void note(const adapters::GitError& error, int attempt, const std::stop_token& stop);

private:
    ForkCopy(adapters::FileLock lock, std::filesystem::path path, adapters::Git git);

    adapters::FileLock lock_;
    std::filesystem::path path_;
    adapters::Git git_;
};

// "both changed a, b and 3 more"
[[nodiscard]] std::string both_changed(const std::vector<std::string>& paths);

}  // namespace millrace::handlers::forks
