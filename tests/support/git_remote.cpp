#include "support/git_remote.hpp"

#include "adapters/process.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace millrace::testing {

TemporaryDirectory::TemporaryDirectory() {
    auto pattern = (std::filesystem::temp_directory_path() / "millrace-git-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"cannot make " + pattern};
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

GitRemote::GitRemote() {
    std::filesystem::create_directory(path());
    git({"init", "--quiet", "--initial-branch=main", "."});
}

std::string GitRemote::commit(const std::map<std::string, std::string>& files) {
    for (const auto& [name, text] : files)
        std::ofstream{std::filesystem::path{path()} / name} << text;
    ++commits_;
    git({"add", "--all"});
    git({"commit", "--quiet", "--allow-empty", "--message", "commit " + std::to_string(commits_)});
    return head();
}

void GitRemote::rewind_to(const std::string& commit) {
    git({"reset", "--quiet", "--hard", commit});
}

std::string GitRemote::head() const {
    return git({"rev-parse", "HEAD"}).substr(0, 40);
}

std::string GitRemote::git(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "git");
    const auto verb = arguments.at(1);
    const auto end = adapters::run_process({std::move(arguments), environment(), path()}, {}, {});
    if (!end.succeeded()) throw std::runtime_error{"git " + verb + " " + describe(end) + ": " + end.errors};
    return end.output;
}

std::vector<std::string> GitRemote::environment() const {
    const auto date = "DATE=@" + std::to_string(1'700'000'000 + commits_) + " +0000";
    return {"PATH=/usr/local/bin:/usr/bin:/bin",
            "HOME=" + directory_.path().string(),
            "GIT_CONFIG_NOSYSTEM=1",
            "GIT_AUTHOR_NAME=Ada",
            "GIT_AUTHOR_EMAIL=ada@example.com",
            "GIT_AUTHOR_" + date,
            "GIT_COMMITTER_NAME=Ada",
            "GIT_COMMITTER_EMAIL=ada@example.com",
            "GIT_COMMITTER_" + date};
}

}  // namespace millrace::testing
