// Directories of builds: gone whatever a build has done to them, and kept from those who tidy up.

#include "adapters/work_tree.hpp"
#include "support/git_remote.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <string>

namespace millrace::testing {
namespace {

namespace fs = std::filesystem;
using adapters::WorkTree;

// Root may write to every directory: these tests then go on as somebody who may not.
constexpr uid_t somebody = 65534;

class WorkTreeTest : public ::testing::Test {
protected:
    WorkTreeTest() {
        if (geteuid() == 0 && chown(parent_.path().c_str(), somebody, somebody) != 0)
            throw std::runtime_error{"cannot give the directory away"};
    }
    // In another process, which ends with 0 if all is well.
    static void as_somebody(const std::function<bool()>& act) {
        const auto leave = [&] {
            if (geteuid() == 0 && (setgid(somebody) != 0 || setuid(somebody) != 0)) _exit(2);
            _exit(act() ? 0 : 1);
        };
        EXPECT_EXIT(leave(), ::testing::ExitedWithCode(0), "");
    }
    static void build_in(const fs::path& directory) {
        fs::create_directories(directory / "cache" / "module" / "deep");
        for (const auto* file : {"cache/a", "cache/module/b", "cache/module/deep/c"})
            std::ofstream{directory / file} << "kept";
        fs::create_symlink("/", directory / "cache" / "root");
        for (const auto* unwritable : {"cache/module/deep", "cache/module", "cache", "."})
            fs::permissions(directory / unwritable, fs::perms::owner_read | fs::perms::owner_exec);
        fs::permissions(directory / "cache" / "module", fs::perms::none);
    }

    TemporaryDirectory parent_;
};

TEST_F(WorkTreeTest, is_gone_although_its_directories_could_not_be_written_to) {
    as_somebody([&] {
        {
            const WorkTree tree{parent_.path(), "1"};
            build_in(tree.directory());
        }
        return fs::is_empty(parent_.path());
    });
}

TEST_F(WorkTreeTest, of_the_dead_is_gone_although_its_directories_could_not_be_written_to) {
    as_somebody([&] {
        build_in(parent_.path() / "1");
        std::ofstream{parent_.path() / "1.lock"} << "";
        const WorkTree tree{parent_.path(), "2"};
        return !fs::exists(parent_.path() / "1") && !fs::exists(parent_.path() / "1.lock");
    });
}

TEST_F(WorkTreeTest, takes_the_place_of_one_whose_directories_could_not_be_written_to) {
    as_somebody([&] {
        build_in(parent_.path() / "1");
        const WorkTree tree{parent_.path(), "1"};
        return !fs::exists(tree.directory());
    });
}

TEST_F(WorkTreeTest, makes_nothing_writable_that_a_link_leads_to) {
    as_somebody([&] {
        const auto elsewhere = parent_.path() / "elsewhere";
        fs::create_directory(elsewhere);
        fs::permissions(elsewhere, fs::perms::owner_read);
        {
            const WorkTree tree{parent_.path(), "1"};
            fs::create_directories(tree.directory() / "a");
            fs::create_symlink(elsewhere, tree.directory() / "a" / "link");
            fs::permissions(tree.directory() / "a", fs::perms::owner_read | fs::perms::owner_exec);
        }
        return !fs::exists(parent_.path() / "1") && fs::status(elsewhere).permissions() == fs::perms::owner_read;
    });
}

// Each looks, as it begins, whether the owners of the others' lock files are gone.
TEST_F(WorkTreeTest, keeps_its_lock_while_others_tidy_up) {
    const auto make_many = [&](const std::string& name) {
        constexpr int many = 2000;
        int lost = 0;
        for (int i = 0; i < many; ++i) {
            const WorkTree tree{parent_.path(), fmt::format("{}-{}", name, i)};
            if (!fs::exists(tree.directory().string() + ".lock")) ++lost;
        }
        return lost;
    };
    auto others = std::async(std::launch::async, make_many, "other");
    EXPECT_EQ(make_many("one"), 0);
    EXPECT_EQ(others.get(), 0);
}

}  // namespace
}  // namespace millrace::testing
