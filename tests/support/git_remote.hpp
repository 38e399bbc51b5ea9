#pragma once
// A git repository in a directory of its own, to be fetched from: real commits, made by git, no network.
//
// Thread rule: one thread.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace millrace::testing {

// A directory that goes with this object.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

class GitRemote {
public:
    GitRemote();  // one branch, main, without a commit

    [[nodiscard]] std::string path() const { return directory_.path() / "shop.git"; }

    // Writes these files over the head's and commits them. The commit's id.
    std::string commit(const std::map<std::string, std::string>& files);
    // main points there from now on, whatever it pointed to.
    void rewind_to(const std::string& commit);
    [[nodiscard]] std::string head() const;

    // The output of git in this repository; throws std::runtime_error when it fails.
    std::string git(std::vector<std::string> arguments) const;

    // NAME=value, without anything of the person who runs the tests.
    [[nodiscard]] std::vector<std::string> environment() const;

private:
    TemporaryDirectory directory_;
    int commits_ = 0;  // each a second later than the one before: equal files make different commits
};

}  // namespace millrace::testing
