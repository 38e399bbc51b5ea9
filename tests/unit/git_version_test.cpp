// Which git will do. It is played by a script that says a version.

#include "adapters/git.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace millrace::adapters {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class GitVersion : public ::testing::Test {
protected:
    GitVersion() {
        std::string form{fs::temp_directory_path() / "millrace-git-XXXXXX"};
        directory_ = mkdtemp(form.data());
    }
    ~GitVersion() override { fs::remove_all(directory_); }

    std::string problem_with(const std::string& said) {
        const auto program = directory_ / "git";
        std::ofstream{program} << "#!/bin/sh\nprintf '%s\\n' '" << said << "'\n";
        fs::permissions(program, fs::perms::owner_all);
        return problem_on(directory_.string() + ":/usr/bin:/bin");
    }
    // Programs are looked for where this process looks.
    static std::string problem_on(const std::string& path) {
        setenv("PATH", path.c_str(), 1);
        return git_problem({.environment = {"PATH=" + path}}).value_or("");
    }

    fs::path directory_;
};

TEST_F(GitVersion, from_2_38_on_is_good_whatever_follows_the_number) {
    for (const auto* said : {"git version 2.38.0", "git version 2.39.5 (Apple Git-154)", "git version 3.0",
                             "git version 2.53.0.windows.1", "git version 10.1"}) {
        EXPECT_EQ(problem_with(said), "") << said;
    }
}

TEST_F(GitVersion, before_2_38_is_refused_with_what_is_needed_and_what_is_there) {
    EXPECT_EQ(problem_with("git version 2.37.7"), "git 2.38 or later is needed; this host has 2.37");
    EXPECT_EQ(problem_with("git version 1.99"), "git 2.38 or later is needed; this host has 1.99");
}

TEST_F(GitVersion, that_is_none_is_quoted) {
    for (const auto* said : {"hello", "git version x.y", "git version 2", "git version 99999999999.1", ""}) {
        EXPECT_THAT(problem_with(said), AllOf(HasSubstr("git 2.38 or later is needed"), HasSubstr(said)));
    }
}

TEST_F(GitVersion, of_a_host_without_git_is_a_problem_as_well) {
    EXPECT_THAT(problem_on(directory_.string()), HasSubstr("git 2.38 or later is needed"));
}

}  // namespace
}  // namespace millrace::adapters
