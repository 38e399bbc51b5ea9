#pragma once
// A branch of a git repository as a source control.
//
// Commits are kept in a bare mirror of the remote in the cache directory, which all workers of this host share: a lock
// beside it lets one of them write at a time. A mirror may be deleted or damaged at any time. A question that fails
// although the remote answers is asked once more, of a mirror that has been made anew beside the old one.
//
// A URI is git://<host>/<path>/ref/<branch>/<commit>, without user and ".git"; the host of a local path is localhost.
//
// Thread rule: any thread, one object at a time.

#include "adapters/file_lock.hpp"
#include "adapters/git.hpp"
#include "adapters/source_control.hpp"

#include <filesystem>
#include <optional>
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
    Change change_info(const std::string& uri, const std::stop_token& stop) override;
    History history(const std::string& cursor, int limit, const std::stop_token& stop) override;
    Promotion promote(const std::string& uri, const std::string& ref, const std::stop_token& stop) override;
    [[nodiscard]] std::string commit_of(const std::string& uri) const override;
    void check_out(const std::string& uri, const std::filesystem::path& directory,
                   const std::stop_token& stop) override;

private:
    template <class Question>
    auto ask(const std::stop_token& stop, const Question& question);
    void need(Git& mirror, const Commit& commit, const std::stop_token& stop);  // fetched unless it is there
    void fetch(Git& mirror);                                                    // the lock is held
    void make(const std::stop_token& stop);                                     // the lock is held
    [[nodiscard]] FileLock lock(const std::stop_token& stop) const;
    [[nodiscard]] std::filesystem::path beside(const char* suffix) const;
    [[nodiscard]] std::optional<Commit> tip(const Branch& branch, const std::stop_token& stop) const;
    [[nodiscard]] Commit head(const std::stop_token& stop) const;

    const Settings settings_;
    const std::string uri_prefix_;  // all of a URI but the commit
    const std::filesystem::path mirror_;
};

}  // namespace millrace::adapters
