#pragma once
// A branch of a git repository as a source control.
//
// Commits are kept in a bare mirror of the remote in the cache directory, which all workers of this host share: a lock
// beside it lets one of them fetch at a time. A mirror may be deleted while no worker uses it; the next one makes it
// anew.
//
// A URI is git://<host>/<path>/ref/<branch>/<commit>, without user and ".git"; the host of a local path is localhost.
//
// Thread rule: any thread, one object at a time.

#include "adapters/git.hpp"
#include "adapters/source_control.hpp"

#include <filesystem>
#include <string>

namespace millrace::adapters {

class GitSource final : public SourceControl {
public:
    struct Settings {
        Remote remote;
        Branch branch;
        std::filesystem::path cache;
        GitSettings git;
    };

    explicit GitSource(Settings settings);

    std::string latest(const std::stop_token& stop) override;
    Ancestry ancestry(const Range& uris, const std::stop_token& stop) override;
    [[nodiscard]] std::string commit_of(const std::string& uri) const override;
    void check_out(const std::string& uri, const std::filesystem::path& directory,
                   const std::stop_token& stop) override;

private:
    void need(const Commit& commit, const std::stop_token& stop);  // in the mirror: fetched unless it is there
    void fetch(Git& mirror, const std::stop_token& stop);

    const Settings settings_;
    const std::string uri_prefix_;  // all of a URI but the commit
    const std::filesystem::path mirror_;
};

}  // namespace millrace::adapters
