#pragma once
// Bare repositories in a directory of their own, made of commits that tests ask for.
//
// Thread rule: one thread.

#include <filesystem>
#include <string>
#include <vector>

namespace millrace::testing {

class GitSandbox {
public:
    GitSandbox();
    ~GitSandbox();
    GitSandbox(const GitSandbox&) = delete;
    GitSandbox& operator=(const GitSandbox&) = delete;

    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

    // An empty one; returns its path.
    std::string make(const std::string& name);
    // A copy with all branches; returns its path.
    std::string clone(const std::string& from, const std::string& name);

    // Adds a commit that gives `file` this content to the branch, which begins to exist if need be; returns its name.
    std::string commit(const std::string& repository, const std::string& branch, const std::string& file,
                       const std::string& content);
    // What `git fast-import` makes of this, for histories of thousands of commits.
    void fast_import(const std::string& repository, const std::string& stream);
    // Moves the branch, wherever it was.
    void reset(const std::string& repository, const std::string& branch, const std::string& commit);
    void remove(const std::string& repository, const std::string& branch);

    // Empty when there is no such branch.
    [[nodiscard]] std::string tip(const std::string& repository, const std::string& branch) const;

    // What git prints, without the last line's end; throws unless it succeeds.
    std::string git(const std::string& repository, std::vector<std::string> words) const;
    [[nodiscard]] bool succeeds(const std::string& repository, std::vector<std::string> words) const;

private:
    std::filesystem::path directory_;
};

}  // namespace millrace::testing
