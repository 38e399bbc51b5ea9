#include "support/git_sandbox.hpp"

#include "adapters/process.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace millrace::testing {
namespace {

adapters::ProcessEnd run(const std::filesystem::path& directory, const std::string& repository,
                         std::vector<std::string> words) {
    std::vector<std::string> arguments{"git", "--git-dir=" + repository};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const std::vector<std::string> environment{fmt::format("PATH={}", std::getenv("PATH")),
                                               "GIT_CONFIG_NOSYSTEM=1",
                                               "GIT_CONFIG_GLOBAL=/dev/null",
                                               "GIT_INDEX_FILE=" + (directory / "index").string(),
                                               "GIT_AUTHOR_NAME=Ada",
                                               "GIT_AUTHOR_EMAIL=ada@example.org",
                                               "GIT_COMMITTER_NAME=Ada",
                                               "GIT_COMMITTER_EMAIL=ada@example.org",
                                               "GIT_AUTHOR_DATE=@1700000000 +0000",
                                               "GIT_COMMITTER_DATE=@1700000000 +0000"};
    return adapters::run_process({arguments, environment, directory.string()}, {}, {});
}

}  // namespace

GitSandbox::GitSandbox() {
    auto pattern = (std::filesystem::temp_directory_path() / "millrace-git-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"cannot make " + pattern};
    directory_ = pattern;
}

GitSandbox::~GitSandbox() {
    std::filesystem::remove_all(directory_);
}

std::string GitSandbox::git(const std::string& repository, std::vector<std::string> words) const {
    const auto end = run(directory_, repository, words);
    if (!end.succeeded()) throw std::runtime_error{fmt::format("git {}: {}", words.front(), end.errors)};
    return end.output.substr(0, end.output.find_last_not_of('\n') + 1);
}

bool GitSandbox::succeeds(const std::string& repository, std::vector<std::string> words) const {
    return run(directory_, repository, std::move(words)).succeeded();
}

std::string GitSandbox::make(const std::string& name) {
    auto path = (directory_ / (name + ".git")).string();
    git(path, {"init", "--quiet", "--bare", "--initial-branch=main", path});
    return path;
}

std::string GitSandbox::clone(const std::string& from, const std::string& name) {
    auto path = make(name);
    git(path, {"fetch", "--quiet", from, "+refs/heads/*:refs/heads/*"});
    return path;
}

std::string GitSandbox::commit(const std::string& repository, const std::string& branch, const std::string& file,
                               const std::string& content) {
    const auto parent = tip(repository, branch);
    const auto source = directory_ / "content";
    std::ofstream{source} << content;
    const auto blob = git(repository, {"hash-object", "-w", source.string()});
    git(repository, {"read-tree", parent.empty() ? "--empty" : parent});
    git(repository, {"update-index", "--add", "--cacheinfo", fmt::format("100644,{},{}", blob, file)});
    std::vector<std::string> words{"commit-tree", git(repository, {"write-tree"}), "-m", file + ": " + content};
    if (!parent.empty()) words.insert(words.end(), {"-p", parent});
    auto commit = git(repository, words);
    reset(repository, branch, commit);
    return commit;
}

void GitSandbox::fast_import(const std::string& repository, const std::string& stream) {
    const auto file = directory_ / "stream";
    std::ofstream{file, std::ios::binary} << stream;
    const auto end = adapters::run_process(
        {{"sh", "-c", "exec git --git-dir=\"$1\" fast-import --quiet <\"$2\"", "sh", repository, file.string()},
         {fmt::format("PATH={}", std::getenv("PATH"))},
         directory_.string()},
        {}, {});
    if (!end.succeeded()) throw std::runtime_error{"git fast-import: " + end.errors};
}

void GitSandbox::reset(const std::string& repository, const std::string& branch, const std::string& commit) {
    git(repository, {"update-ref", "refs/heads/" + branch, commit});
}

void GitSandbox::remove(const std::string& repository, const std::string& branch) {
    git(repository, {"update-ref", "-d", "refs/heads/" + branch});
}

std::string GitSandbox::tip(const std::string& repository, const std::string& branch) const {
    return git(repository, {"for-each-ref", "--format=%(objectname)", "refs/heads/" + branch});
}

}  // namespace millrace::testing
