// What becomes of branches that are rebased, with real repositories.

#include "handlers/forks/git_rebase.hpp"
#include "support/git_sandbox.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

namespace millrace::handlers::forks {
namespace {

using adapters::GitError;
using storage::PushIntent;
using storage::StepItem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ForksRebase : public ::testing::Test {
protected:
    ForksRebase() {
        first_ = sandbox_.commit(fork_, "main", "a", "one\n");
        order_ = {.fork = "acme/widget",
                  .origin = {fork_},
                  .environment = {},
                  .onto = {"main"},
                  .globs = {"feature/*"},
                  .listed = {},
                  .done = {},
                  .intent = {}};
    }

    // From where main is.
    void branch(const std::string& name) { sandbox_.reset(fork_, name, sandbox_.tip(fork_, "main")); }

    // `meanwhile` happens right before a push.
    GitRebase::Report rebase(const std::function<void()>& meanwhile = [] {}) {
        said_.clear();
        announced_.clear();
        GitRebase rebase{{.cache = sandbox_.directory() / "cache",
                          .git = {.environment = {fmt::format("PATH={}", std::getenv("PATH")), "GIT_TRACE=0"}}}};
        const GitRebase::Hooks hooks{
            .announce =
                [&](const PushIntent& intent) {
                    announced_.push_back(intent);
                    meanwhile();
                },
            .record =
                [&](const StepItem& item) {
                    said_.push_back(fmt::format("{} {}: {}", item.item, item.state, item.detail));
                }};
        return rebase.rebase(order_, hooks, {}).value();
    }

    std::string shown(const std::string& what) const { return sandbox_.git(fork_, {"show", what}); }
    std::string subjects(const std::string& name) const {
        return sandbox_.git(fork_, {"log", "--format=%s", "--no-expand-tabs", "main.." + name});
    }

    testing::GitSandbox sandbox_;
    const std::string fork_ = sandbox_.make("fork");
    std::string first_;
    GitRebase::Order order_;
    std::vector<std::string> said_;
    std::vector<PushIntent> announced_;
};

TEST_F(ForksRebase, puts_what_a_branch_has_of_its_own_on_top_of_the_base) {
    branch("feature/x");
    sandbox_.commit(fork_, "feature/x", "x", "1\n");
    const auto old = sandbox_.commit(fork_, "feature/x", "a", "mine\n");
    const auto base = sandbox_.commit(fork_, "main", "b", "two\n");
    rebase();
    EXPECT_THAT(said_, ElementsAre("feature/x rebased: 2 commits on main"));
    EXPECT_EQ(subjects("feature/x"), "a: mine\nx: 1");
    EXPECT_EQ(shown("feature/x:a"), "mine");
    EXPECT_EQ(shown("feature/x:b"), "two");
    EXPECT_EQ(sandbox_.git(fork_, {"rev-parse", "feature/x~2"}), base);
    EXPECT_EQ(sandbox_.git(fork_, {"show", "-s", "--format=%an|%ae|%at|%cn|%ct", "feature/x"}),
              "Ada|ada@example.org|1700000000|millrace|1700000000");
    ASSERT_EQ(announced_.size(), 1U);
    EXPECT_EQ(announced_[0].before_sha, old);
    EXPECT_EQ(announced_[0].after_sha, sandbox_.tip(fork_, "feature/x"));

    const auto made = sandbox_.tip(fork_, "feature/x");
    sandbox_.reset(fork_, "feature/x", old);
    std::filesystem::remove_all(sandbox_.directory() / "cache");  // as on another host
    rebase();
    EXPECT_EQ(sandbox_.tip(fork_, "feature/x"), made) << "the same commits";
    rebase();
    EXPECT_THAT(said_, ElementsAre("feature/x up to date: "));
}

TEST_F(ForksRebase, leaves_out_what_the_base_has_already_and_merges) {
    branch("feature/x");
    sandbox_.commit(fork_, "feature/x", "b", "same\n");
    sandbox_.commit(fork_, "feature/x", "x", "1\n");
    sandbox_.commit(fork_, "main", "c", "other\n");
    sandbox_.commit(fork_, "main", "b", "same\n");
    rebase();
    EXPECT_EQ(subjects("feature/x"), "x: 1");
    EXPECT_THAT(said_, ElementsAre("feature/x rebased: 1 commit on main"));

    branch("feature/y");
    sandbox_.commit(fork_, "main", "d", "new\n");
    rebase();
    EXPECT_EQ(sandbox_.tip(fork_, "feature/y"), sandbox_.tip(fork_, "main")) << "it had nothing of its own";
}

TEST_F(ForksRebase, leaves_a_branch_alone_that_does_not_fit_and_goes_on_with_the_next) {
    for (const auto* name : {"feature/bad", "feature/good"})
        branch(name);
    const auto bad = sandbox_.commit(fork_, "feature/bad", "a", "mine\n");
    sandbox_.commit(fork_, "feature/good", "x", "1\n");
    sandbox_.commit(fork_, "main", "a", "theirs\n");
    rebase();
    EXPECT_THAT(said_, ElementsAre("feature/bad conflict: both changed a", "feature/good rebased: 1 commit on main"));
    EXPECT_EQ(sandbox_.tip(fork_, "feature/bad"), bad);
    sandbox_.commit(fork_, "feature/alone", "z", "another beginning\n");
    rebase();
    EXPECT_THAT(said_, ElementsAre("feature/alone conflict: has commits that have none in common with main",
                                   "feature/bad conflict: both changed a", "feature/good up to date: "));
}

TEST_F(ForksRebase, never_moves_the_base_nor_what_is_synchronised) {
    for (const auto* name : {"17.0", "feature/x", "x/feature/y", "featurex"})
        branch(name);
    sandbox_.commit(fork_, "main", "b", "two\n");
    order_.globs = {"*"};
    order_.listed = {"17.0"};
    rebase();
    EXPECT_THAT(said_, ElementsAre(HasSubstr("feature/x rebased"), HasSubstr("featurex rebased"),
                                   HasSubstr("x/feature/y rebased")));
    EXPECT_EQ(sandbox_.tip(fork_, "17.0"), first_);
    order_.globs = {"fea*/*"};
    rebase();
    EXPECT_THAT(said_, ElementsAre("feature/x up to date: "));
}

TEST_F(ForksRebase, fetches_nothing_when_no_branch_fits) {
    order_.globs = {"none/*"};
    const auto report = rebase();
    EXPECT_EQ(report.branches, 0U);
    EXPECT_THAT(said_, IsEmpty());
    const auto copy = sandbox_.directory() / "cache/forks/acme/widget.git";
    EXPECT_EQ(sandbox_.git(copy, {"for-each-ref"}), "");
}

TEST_F(ForksRebase, overwrites_nothing_that_was_pushed_meanwhile) {
    branch("feature/x");
    sandbox_.commit(fork_, "feature/x", "x", "1\n");
    sandbox_.commit(fork_, "main", "b", "two\n");
    std::string theirs;
    const auto report = rebase([&] { theirs = sandbox_.commit(fork_, "feature/x", "x", "2\n"); });
    EXPECT_THAT(report.error, HasSubstr("feature/x has moved meanwhile, nothing was pushed"));
    EXPECT_THAT(said_, IsEmpty()) << "the next attempt may do better";
    EXPECT_EQ(sandbox_.tip(fork_, "feature/x"), theirs);
    order_.is_last = true;
    rebase([&] { sandbox_.commit(fork_, "feature/x", "x", "3\n"); });
    EXPECT_THAT(said_, ElementsAre(HasSubstr("feature/x failed: git push")));
}

TEST_F(ForksRebase, counts_what_an_attempt_has_pushed_that_was_interrupted) {
    branch("feature/x");
    sandbox_.commit(fork_, "feature/x", "x", "1\n");
    sandbox_.commit(fork_, "main", "b", "two\n");
    rebase();
    order_.intent = announced_.at(0);
    rebase();
    EXPECT_THAT(said_, ElementsAre("feature/x rebased: by an attempt that was interrupted"));
    order_.done = {"feature/x"};
    rebase();
    EXPECT_THAT(said_, IsEmpty()) << "what was taken down is not done again";
}

TEST_F(ForksRebase, gives_a_broken_copy_up_after_it_failed_twice) {
    branch("feature/x");
    sandbox_.commit(fork_, "feature/x", "a", "mine\n");
    sandbox_.commit(fork_, "main", "a", "theirs\n");
    rebase();
    ASSERT_THAT(said_, ElementsAre("feature/x conflict: both changed a"));
    const auto copy = sandbox_.directory() / "cache/forks/acme/widget.git";
    const auto blob = sandbox_.git(fork_, {"rev-parse", "feature/x:a"});
    ASSERT_TRUE(std::filesystem::remove(copy / "objects" / blob.substr(0, 2) / blob.substr(2)));
    EXPECT_THAT(rebase().error, HasSubstr("unable to read"));
    EXPECT_TRUE(std::filesystem::exists(copy));
    order_.attempt = 2;
    EXPECT_THAT(rebase().error, HasSubstr("unable to read"));
    EXPECT_FALSE(std::filesystem::exists(copy));
    rebase();
    EXPECT_THAT(said_, ElementsAre("feature/x conflict: both changed a"));
}

TEST_F(ForksRebase, needs_the_base_and_not_too_many_branches) {
    branch("feature/x");
    order_.onto = {"18.0"};
    try {
        rebase();
        ADD_FAILURE() << "there is no such branch";
    } catch (const GitError& error) {
        EXPECT_THAT(error.what(), HasSubstr("the fork has no branch 18.0"));
    }
    for (std::size_t number = 0; number < GitRebase::most_branches; ++number)
        branch(fmt::format("feature/{}", number));
    EXPECT_THROW(rebase(), GitError);
}

TEST_F(ForksRebase, believes_the_variables_of_its_order_rather_than_those_of_the_worker) {
    branch("feature/x");
    const auto trace = sandbox_.directory() / "trace";
    order_.environment = {"GIT_TRACE=" + trace.string()};
    rebase();
    EXPECT_TRUE(std::filesystem::exists(trace));
}

}  // namespace
}  // namespace millrace::handlers::forks
