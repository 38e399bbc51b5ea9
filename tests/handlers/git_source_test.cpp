// git as a source control: over each transport, with branches that are rewritten and deleted, and with a mirror that is
// damaged between two questions.

#include "adapters/git_source.hpp"
#include "adapters/process.hpp"
#include "support/git_remote.hpp"
#include "support/git_sandbox.hpp"
#include "support/git_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <future>
#include <tuple>

namespace millrace::testing {
namespace {

namespace fs = std::filesystem;
using adapters::GitSource;
using adapters::SourceControl;
using adapters::SourceControlError;
using Ancestry = SourceControl::Ancestry;
using Promotion = SourceControl::Promotion;
using ::testing::HasSubstr;

constexpr auto file = "a";

class GitSourceTest : public ::testing::Test {
protected:
    [[nodiscard]] GitSource source(const std::string& branch = "main") const { return source_of(remote_, branch); }
    [[nodiscard]] GitSource source_of(const std::string& remote, const std::string& branch,
                                      std::vector<std::string> environment = {}) const {
        environment.emplace_back("PATH=/usr/local/bin:/usr/bin:/bin");
        return GitSource{{{remote}, {branch}, cache_.path(), {.environment = environment}}};
    }
    std::string commit(const std::string& content, const std::string& branch = "main") {
        return sandbox_.commit(remote_, branch, file, content);
    }
    [[nodiscard]] static std::string content_of(GitSource& source, const std::string& uri) {
        const TemporaryDirectory parent;
        source.check_out(uri, parent.path() / "tree", {});
        std::ifstream in{parent.path() / "tree" / file};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    [[nodiscard]] fs::path mirror() const {
        for (const auto& entry : fs::directory_iterator{cache_.path() / "mirrors"})
            if (entry.path().extension() == ".git") return entry.path();
        throw std::runtime_error{"there is no mirror"};
    }
    // Everything that the pipeline asks, of a branch of three commits.
    void use(GitSource source) {
        const auto first = source.latest({});
        EXPECT_EQ(content_of(source, first), "1");
        commit("2");
        const auto head = commit("3");
        const auto latest = source.latest({});
        EXPECT_EQ(source.commit_of(latest), head);
        EXPECT_EQ(source.ancestry({first, latest}, {}), Ancestry::ancestor);
        EXPECT_EQ(source.ancestry({latest, first}, {}), Ancestry::not_ancestor);
        EXPECT_EQ(source.history("", 10, {}).changes.size(), 3U);
        EXPECT_EQ(content_of(source, latest), "3");
        EXPECT_EQ(source.promote(latest, "verified-main", {}), Promotion::moved);
        EXPECT_EQ(sandbox_.tip(remote_, "verified-main"), head);
    }

    TemporaryDirectory cache_;
    GitSandbox sandbox_;
    std::string remote_ = sandbox_.make("shop");
    std::string first_ = commit("1");
};

TEST_F(GitSourceTest, works_over_files) {
    use(source());
}

TEST_F(GitSourceTest, works_over_http) {
    const GitServer server{GitServer::Transport::http, sandbox_.directory()};
    use(source_of(server.url("shop.git"), "main"));
}

TEST_F(GitSourceTest, works_over_ssh) {
    const GitServer server{GitServer::Transport::ssh, sandbox_.directory()};
    use(source_of(server.url("shop.git"), "main", server.environment()));
}

TEST_F(GitSourceTest, pages_through_the_history_of_a_branch_along_first_parents) {
    for (const auto* content : {"2", "3", "4"})
        commit(content);
    sandbox_.reset(remote_, "feature", first_);
    const auto side = sandbox_.commit(remote_, "feature", "b", "1");
    const auto tree = sandbox_.git(remote_, {"rev-parse", "main^{tree}"});
    const auto merge = sandbox_.git(
        remote_, {"commit-tree", tree, "-p", sandbox_.tip(remote_, "main"), "-p", side, "-m", "brings the feature"});
    sandbox_.reset(remote_, "main", merge);
    auto git = source();
    std::vector<std::string> seen;
    std::string cursor;
    do {
        const auto page = git.history(cursor, 2, {});
        EXPECT_LE(page.changes.size(), 2U);
        for (const auto& change : page.changes) {
            seen.push_back(git.commit_of(change.uri));
            EXPECT_EQ(change.committed.time_since_epoch().count(), 1'700'000'000);
        }
        cursor = page.next;
        commit("not of these pages");
    } while (!cursor.empty());
    ASSERT_EQ(seen.size(), 5U);
    EXPECT_EQ(seen.front(), merge);
    EXPECT_EQ(seen.back(), first_);
    EXPECT_THAT(seen, ::testing::Not(::testing::Contains(side)));
}

TEST_F(GitSourceTest, tells_when_a_commit_was_made) {
    auto git = source();
    const auto change = git.change_info(git.latest({}), {});
    EXPECT_EQ(change.uri, git.latest({}));
    EXPECT_EQ(change.committed, std::chrono::sys_seconds{std::chrono::seconds{1'700'000'000}});
}

TEST_F(GitSourceTest, knows_what_a_rewrite_has_dropped_as_no_ancestor_and_what_it_never_saw_as_unknown) {
    auto git = source();
    const auto dropped = commit("2");
    const auto dropped_uri = git.latest({});
    EXPECT_EQ(content_of(git, dropped_uri), "2");
    sandbox_.reset(remote_, "main", first_);
    commit("another 2");
    EXPECT_EQ(git.ancestry({dropped_uri, git.latest({})}, {}), Ancestry::not_ancestor);
    const auto unknown = git.latest({}).replace(git.latest({}).size() - 40, 40, std::string(40, 'a'));
    EXPECT_EQ(git.ancestry({unknown, git.latest({})}, {}), Ancestry::unknown_base);
    sandbox_.reset(remote_, "feature", first_);
    EXPECT_EQ(git.ancestry({source("feature").latest({}), git.latest({})}, {}), Ancestry::unknown_base);
    EXPECT_THROW(git.ancestry({git.latest({}), source("feature").latest({})}, {}), SourceControlError);
    EXPECT_EQ(git.promote(dropped_uri, "verified-main", {}), Promotion::vanished);
    EXPECT_EQ(git.promote(unknown, "verified-main", {}), Promotion::vanished);
    EXPECT_EQ(sandbox_.tip(remote_, "verified-main"), "");
}

TEST_F(GitSourceTest, has_no_head_of_a_branch_that_was_deleted_but_still_what_it_has_seen) {
    auto git = source("feature");
    sandbox_.reset(remote_, "feature", first_);
    const auto uri = git.latest({});
    EXPECT_EQ(content_of(git, uri), "1");
    sandbox_.remove(remote_, "feature");
    try {
        git.latest({});
        ADD_FAILURE() << "there is a head";
    } catch (const SourceControlError& error) {
        EXPECT_EQ(error.kind(), SourceControlError::Kind::passing);
        EXPECT_THAT(error.what(), HasSubstr("there is no branch feature"));
    }
    EXPECT_EQ(content_of(git, uri), "1");
    EXPECT_EQ(git.promote(uri, "verified", {}), Promotion::vanished);
}

TEST_F(GitSourceTest, follows_a_branch_that_becomes_a_folder_of_branches) {
    sandbox_.reset(remote_, "release", first_);
    auto git = source("release");
    EXPECT_EQ(content_of(git, git.latest({})), "1");
    sandbox_.remove(remote_, "release");
    sandbox_.reset(remote_, "release/1", first_);
    auto folder = source("release/1");
    EXPECT_EQ(content_of(folder, folder.latest({})), "1");
}

TEST_F(GitSourceTest, takes_any_branch_that_git_takes_and_no_option_or_command_for_one) {
    for (const auto* name :
         {"größe", "a%b", "a]b", "@a", "a{b", "x/HEAD", "$(id)", "`id`", "a;b", "a'b\"c", "refs/heads/a"}) {
        sandbox_.reset(remote_, name, first_);
        auto git = source(name);
        EXPECT_EQ(content_of(git, git.latest({})), "1") << name;
        EXPECT_EQ(git.promote(git.latest({}), std::string{"green/"} + name, {}), Promotion::moved) << name;
    }
    for (const auto* name : {"-x", "--upload-pack=id", "a..b", "a b", "a:b", "main^", "a\nb"}) {
        auto git = source(name);
        EXPECT_THROW(git.latest({}), SourceControlError) << name;
        auto main = source();
        EXPECT_THROW(main.promote(main.latest({}), name, {}), SourceControlError) << name;
    }
}

TEST_F(GitSourceTest, moves_a_promoted_ref_back_and_forth_and_says_when_it_was_there) {
    auto git = source();
    const auto first = git.latest({});
    EXPECT_EQ(git.promote(first, "verified-main", {}), Promotion::moved);
    EXPECT_EQ(git.promote(first, "verified-main", {}), Promotion::was_there);
    const auto second = commit("2");
    EXPECT_EQ(git.promote(git.latest({}), "verified-main", {}), Promotion::moved);
    EXPECT_EQ(sandbox_.tip(remote_, "verified-main"), second);
    sandbox_.reset(remote_, "verified-main", commit("of somebody else", "other"));
    EXPECT_EQ(git.promote(first, "verified-main", {}), Promotion::moved);
    EXPECT_EQ(sandbox_.tip(remote_, "verified-main"), first_);
}

TEST_F(GitSourceTest, makes_no_ref_that_somebody_else_has_made_since_we_looked) {
    const auto next = commit("2");
    adapters::Git git{sandbox_.directory() / "copy.git", {.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"}}, {}};
    git.create();
    std::ignore = git.fetch({remote_}, {"main"}, "test");
    sandbox_.reset(remote_, "verified-main", first_);
    EXPECT_THROW(git.push({remote_}, {{"verified-main"}, {}, {next}}), adapters::GitError);
    EXPECT_EQ(sandbox_.tip(remote_, "verified-main"), first_);
    git.push({remote_}, {{"verified-other"}, {}, {next}});
    EXPECT_EQ(sandbox_.tip(remote_, "verified-other"), next);
}

TEST_F(GitSourceTest, keeps_the_mirror_when_a_push_is_refused) {
    auto git = source();
    const auto uri = git.latest({});
    EXPECT_EQ(content_of(git, uri), "1");
    std::ofstream{mirror() / "witness"} << "the same";
    sandbox_.git(remote_, {"config", "transfer.hideRefs", "refs/heads/verified-main"});
    try {
        git.promote(uri, "verified-main", {});
        ADD_FAILURE() << "it was not refused";
    } catch (const SourceControlError& error) {
        EXPECT_EQ(error.kind(), SourceControlError::Kind::passing);
        EXPECT_THAT(error.what(), HasSubstr("hidden ref"));
    }
    EXPECT_TRUE(fs::exists(mirror() / "witness"));
}

TEST_F(GitSourceTest, keeps_the_mirror_when_a_commit_cannot_be_checked_out_here) {
    const auto blob = sandbox_.git(remote_, {"rev-parse", "main:a"});
    sandbox_.git(remote_, {"update-index", "--add", "--cacheinfo", "100644," + blob + "," + std::string(300, 'n')});
    const auto tree = sandbox_.git(remote_, {"write-tree"});
    sandbox_.reset(remote_, "main", sandbox_.git(remote_, {"commit-tree", tree, "-p", first_, "-m", "a long name"}));
    auto git = source();
    const auto uri = git.latest({});
    EXPECT_EQ(git.ancestry({uri, uri}, {}), Ancestry::ancestor);
    std::ofstream{mirror() / "witness"} << "the same";
    try {
        std::ignore = content_of(git, uri);
        ADD_FAILURE() << "it was checked out";
    } catch (const SourceControlError& error) {
        EXPECT_EQ(error.kind(), SourceControlError::Kind::passing);
        EXPECT_THAT(error.what(), HasSubstr("File name too long"));
    }
    EXPECT_TRUE(fs::exists(mirror() / "witness"));
}

// A git that does something else first when it is asked for one verb.
class OtherGit {
public:
    OtherGit(const std::string& verb, const std::string& act) {
        std::ofstream{directory_.path() / "git"} << fmt::format(
            "#!/bin/sh\nPATH={}\ncase \" $* \" in *\" {} \"*) {};; esac\nexec git \"$@\"\n", path_, verb, act);
        fs::permissions(directory_.path() / "git", fs::perms::owner_all);
        setenv("PATH", fmt::format("{}:{}", directory_.path().string(), path_).c_str(), 1);
    }
    ~OtherGit() { setenv("PATH", path_.c_str(), 1); }
    OtherGit(const OtherGit&) = delete;
    OtherGit& operator=(const OtherGit&) = delete;

private:
    const std::string path_ = std::getenv("PATH");
    TemporaryDirectory directory_;
};

TEST_F(GitSourceTest, keeps_the_mirror_when_the_remote_is_damaged) {
    auto git = source();
    EXPECT_EQ(content_of(git, git.latest({})), "1");
    std::ofstream{mirror() / "witness"} << "the same";
    commit("2");
    const auto blob = sandbox_.git(remote_, {"rev-parse", "main:a"});
    const auto object = fs::path{remote_} / "objects" / blob.substr(0, 2) / blob.substr(2);
    fs::rename(object, object.string() + ".away");
    try {
        std::ignore = content_of(git, git.latest({}));
        ADD_FAILURE() << "it was fetched";
    } catch (const SourceControlError& error) {
        EXPECT_EQ(error.kind(), SourceControlError::Kind::passing);
        EXPECT_THAT(error.what(), HasSubstr("on the remote side"));
    }
    EXPECT_FALSE(fs::exists(mirror().string() + ".new")) << "another one was begun";
    fs::rename(object.string() + ".away", object);
    EXPECT_EQ(content_of(git, git.latest({})), "2");
    EXPECT_TRUE(fs::exists(mirror() / "witness"));
}

TEST_F(GitSourceTest, keeps_the_mirror_when_it_is_not_to_blame) {
    int content = 1;
    constexpr auto cut = "echo >&2 'fatal: early EOF'; exit 128";
    constexpr auto full = "echo >&2 'fatal: write error: No space left on device'; exit 128";
    for (const auto& [verb, act, said] : {std::tuple{"fetch", cut, "early EOF"},
                                          {"fetch", full, "No space left"},
                                          {"clone", full, "No space left"},
                                          {"fetch", "kill -KILL $$", "was killed by signal 9"},
                                          {"clone", "kill -KILL $$", "was killed by signal 9"}}) {
        auto git = source();
        EXPECT_EQ(content_of(git, git.latest({})), std::to_string(content));
        std::ofstream{mirror() / "witness"} << "the same";
        commit(std::to_string(++content));
        {
            const OtherGit other{verb, fmt::format("test -e {}/once || {{ touch {}/once; {}; }}",
                                                   cache_.path().string(), cache_.path().string(), act)};
            try {
                std::ignore = content_of(git, git.latest({}));
                ADD_FAILURE() << "it was checked out";
            } catch (const SourceControlError& error) {
                EXPECT_EQ(error.kind(), SourceControlError::Kind::passing);
                EXPECT_THAT(error.what(), HasSubstr(said));
            }
        }
        fs::remove(cache_.path() / "once");
        EXPECT_EQ(content_of(git, git.latest({})), std::to_string(content));
        EXPECT_TRUE(fs::exists(mirror() / "witness")) << verb << ": " << act;
    }
}

TEST_F(GitSourceTest, makes_another_mirror_when_git_crashes_over_the_one_that_is_there) {
    auto git = source();
    const auto uri = git.latest({});
    EXPECT_EQ(content_of(git, uri), "1");
    std::ofstream{mirror() / "witness"} << "the same";
    const OtherGit other{"merge-base", fmt::format("test ! -e {}/witness || kill -SEGV $$", mirror().string())};
    EXPECT_EQ(git.ancestry({uri, uri}, {}), Ancestry::ancestor);
    EXPECT_FALSE(fs::exists(mirror() / "witness"));
}

TEST_F(GitSourceTest, is_passing_when_the_remote_is_out_of_reach_and_goes_on_without_it_for_what_it_has) {
    auto git = source();
    const auto uri = git.latest({});
    EXPECT_EQ(content_of(git, uri), "1");
    fs::rename(remote_, remote_ + ".away");
    EXPECT_THROW(git.latest({}), SourceControlError);
    EXPECT_EQ(content_of(git, uri), "1");
    EXPECT_EQ(git.ancestry({uri, uri}, {}), Ancestry::ancestor);
}

TEST_F(GitSourceTest, fetches_once_for_workers_that_ask_at_the_same_time) {
    const auto uri = source().latest({});
    constexpr int asking = 6;
    std::vector<std::future<std::string>> workers;
    workers.reserve(asking);
    for (int i = 0; i < asking; ++i) {
        workers.push_back(std::async(std::launch::async, [&] {
            auto git = source();
            return content_of(git, uri);
        }));
    }
    for (auto& worker : workers)
        EXPECT_EQ(worker.get(), "1");
    EXPECT_EQ(std::distance(fs::directory_iterator{cache_.path() / "mirrors"}, {}), 2) << "a mirror and its lock";
}

TEST_F(GitSourceTest, keeps_the_mirror_whatever_a_build_does_to_its_work_tree) {
    auto git = source();
    const auto uri = git.latest({});
    const TemporaryDirectory parent;
    git.check_out(uri, parent.path() / "tree", {});
    fs::remove_all(parent.path() / "tree" / ".git" / "objects");
    EXPECT_EQ(content_of(git, uri), "1");
}

TEST_F(GitSourceTest, leaves_a_work_tree_whole_when_the_mirror_goes) {
    auto git = source();
    const TemporaryDirectory parent;
    git.check_out(git.latest({}), parent.path() / "tree", {});
    fs::remove_all(cache_.path() / "mirrors");
    const auto end = adapters::run_process(
        {{"git", "fsck", "--full"}, {"PATH=/usr/bin:/bin", "GIT_CONFIG_GLOBAL=/dev/null"}, parent.path() / "tree"}, {},
        {});
    EXPECT_TRUE(end.succeeded()) << end.errors;
}

// Each of these is done to the mirror between two questions.
class DamagedMirror : public GitSourceTest {
protected:
    // Asks before and after.
    template <class Damage>
    void survive(const Damage& damage) {
        auto git = source();
        for (int i = 2; i < 30; ++i)
            commit(std::to_string(i));
        const auto known = git.latest({});
        EXPECT_EQ(content_of(git, known), "29");
        damage(mirror());
        EXPECT_EQ(git.ancestry({known, known}, {}), Ancestry::ancestor);
        EXPECT_EQ(content_of(git, known), "29");
        damage(mirror());
        commit("30");
        EXPECT_EQ(git.history("", 100, {}).changes.size(), 30U);
        damage(mirror());
        EXPECT_EQ(git.history(known, 100, {}).changes.size(), 29U);
        commit("31");
        EXPECT_EQ(content_of(git, git.latest({})), "31");
        EXPECT_TRUE(sandbox_.succeeds(mirror(), {"fsck", "--no-dangling"}));
    }
    static void write_to(const fs::path& path, const std::string& text) {
        fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
        std::ofstream{path} << text;
    }
    static void every_file(const fs::path& below, const std::function<void(const fs::path&)>& act) {
        std::vector<fs::path> files;
        for (const auto& entry : fs::recursive_directory_iterator{below})
            if (entry.is_regular_file()) files.push_back(entry.path());
        for (const auto& path : files)
            act(path);
    }
};

TEST_F(DamagedMirror, without_its_head) {
    survive([](const fs::path& mirror) { fs::remove(mirror / "HEAD"); });
}

TEST_F(DamagedMirror, without_its_objects) {
    survive([](const fs::path& mirror) { fs::remove_all(mirror / "objects"); });
}

TEST_F(DamagedMirror, with_packs_and_objects_cut_short) {
    survive([&](const fs::path& mirror) {
        sandbox_.git(mirror, {"repack", "-a", "-d", "-q"});
        every_file(mirror / "objects", [](const fs::path& path) {
            fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
            if (path.extension() == ".pack") fs::resize_file(path, fs::file_size(path) / 2);
        });
    });
}

TEST_F(DamagedMirror, with_loose_objects_that_are_empty) {
    survive([](const fs::path& mirror) {
        every_file(mirror / "objects", [](const fs::path& path) {
            if (path.extension().empty()) write_to(path, "");
        });
    });
}

// The commits can be read, and so can the trees: nobody notices before the file is wanted.
TEST_F(DamagedMirror, without_the_content_of_a_file) {
    auto git = source();
    const auto uri = git.latest({});
    EXPECT_EQ(content_of(git, uri), "1");
    for (const auto& pack : fs::directory_iterator{mirror() / "objects" / "pack"})
        ASSERT_NE(pack.path().extension(), ".pack") << "so few objects are loose";
    const auto blob = sandbox_.git(mirror(), {"rev-parse", first_ + ":a"});
    ASSERT_TRUE(fs::remove(mirror() / "objects" / blob.substr(0, 2) / blob.substr(2)));
    EXPECT_EQ(content_of(git, uri), "1");
}

TEST_F(DamagedMirror, with_a_ref_that_is_no_ref) {
    survive([](const fs::path& mirror) {
        every_file(mirror / "refs", [](const fs::path& path) { write_to(path, "nonsense"); });
    });
}

TEST_F(DamagedMirror, with_the_lock_of_a_git_that_was_killed) {
    survive([](const fs::path& mirror) {
        every_file(mirror / "refs", [](const fs::path& path) {
            if (path.extension() != ".lock") std::ofstream{path.string() + ".lock"} << "";
        });
    });
}

TEST_F(DamagedMirror, that_is_a_file) {
    survive([](const fs::path& mirror) {
        fs::remove_all(mirror);
        std::ofstream{mirror} << "no repository";
    });
}

TEST_F(DamagedMirror, that_is_gone) {
    survive([](const fs::path& mirror) { fs::remove_all(mirror); });
}

TEST_F(DamagedMirror, half_made_by_a_worker_that_was_killed) {
    auto git = source();
    EXPECT_EQ(content_of(git, git.latest({})), "1");
    const auto whole = mirror();
    fs::rename(whole, whole.string() + ".new");
    fs::remove(fs::path{whole.string() + ".new"} / "HEAD");
    EXPECT_EQ(content_of(git, git.latest({})), "1");
    EXPECT_FALSE(fs::exists(whole.string() + ".new"));
}

TEST_F(DamagedMirror, is_kept_as_long_as_no_better_one_can_be_made) {
    auto git = source();
    const auto uri = git.latest({});
    EXPECT_EQ(content_of(git, uri), "1");
    fs::remove(mirror() / "HEAD");
    fs::rename(remote_, remote_ + ".away");
    EXPECT_THROW(git.ancestry({uri, uri}, {}), SourceControlError);
    EXPECT_TRUE(fs::exists(mirror() / "objects"));
    fs::rename(remote_ + ".away", remote_);
    EXPECT_EQ(git.ancestry({uri, uri}, {}), Ancestry::ancestor);
}

// What is measured is in docs/workloads/pipeline.md; here it is right.
TEST_F(GitSourceTest, answers_of_a_repository_of_100_000_commits) {
    constexpr int commits = 100'000;
    const auto stream = sandbox_.directory() / "stream";
    {
        std::ofstream out{stream};
        out << "blob\nmark :1\ndata 1\n1\n";
        for (int i = 0; i < commits; ++i) {
            out << "commit refs/heads/big\ncommitter Ada <ada@example.org> " << 1'600'000'000 + i << " +0000\ndata 0\n"
                << (i == 0 ? "M 100644 :1 a\n\n" : "\n");
        }
    }
    sandbox_.git(remote_, {"config", "fastimport.unpackLimit", "0"});
    const auto end = adapters::run_process(
        {{"sh", "-c", fmt::format("git --git-dir={} fast-import --quiet < {}", remote_, stream.string())},
         {"PATH=/usr/bin:/bin"},
         "/"},
        {}, {});
    ASSERT_TRUE(end.succeeded()) << end.errors;
    auto git = source("big");
    const auto head = git.latest({});
    auto page = git.history("", 1000, {});
    ASSERT_EQ(page.changes.size(), 1000U);
    const auto middle = page.next;
    const auto took = [](const char* what, const auto& act) {
        const auto began = std::chrono::steady_clock::now();
        act();
        const auto spent = std::chrono::steady_clock::now() - began;
        fmt::print("{}: {} ms\n", what, std::chrono::duration_cast<std::chrono::milliseconds>(spent).count());
    };
    std::string first;
    for (auto cursor = middle; !cursor.empty(); cursor = page.next) {
        page = git.history(cursor, 1000, {});
        first = page.changes.back().uri;
    }
    for (int i = 0; i < 2; ++i) {
        took("ancestry of the first", [&] { EXPECT_EQ(git.ancestry({first, head}, {}), Ancestry::ancestor); });
        took("ancestry the other way", [&] { EXPECT_EQ(git.ancestry({head, first}, {}), Ancestry::not_ancestor); });
        took("page of 100 changes", [&] { EXPECT_EQ(git.history(middle, 100, {}).changes.size(), 100U); });
        took("page of 1,000 changes", [&] { EXPECT_EQ(git.history(middle, 1000, {}).changes.size(), 1000U); });
        took("change_info", [&] { std::ignore = git.change_info(first, {}); });
    }
}

}  // namespace
}  // namespace millrace::testing
