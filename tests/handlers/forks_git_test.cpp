// What becomes of a branch, with real repositories.

#include "adapters/file_lock.hpp"
#include "handlers/forks/git_provider.hpp"
#include "support/git_sandbox.hpp"
#include "support/web_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace millrace::handlers::forks {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using adapters::GitError;
using storage::PushIntent;
using storage::SyncResult;
using storage::SyncState;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ForksGit : public ::testing::Test {
protected:
    ForksGit() {
        first_ = sandbox_.commit(upstream_, "main", "a", "one\n");
        fork_ = sandbox_.clone(upstream_, "fork");
        order_ = {.fork = "acme/widget", .branch = {"main"}, .origin = {fork_}, .upstream = {upstream_}, .intent = {}};
    }

    GitProvider provider(std::chrono::milliseconds limit = 1min) {
        return GitProvider{{.cache = cache_,
                            .git = {.environment = {fmt::format("PATH={}", std::getenv("PATH")),
                                                    "HOME=" + sandbox_.directory().string()},
                                    .command_limit = limit,
                                    .fetch_limit = fetch_limit_}}};
    }

    // `meanwhile` happens right before the push.
    std::optional<SyncResult> try_sync(const std::function<void()>& meanwhile = [] {}) {
        announced_.reset();
        return provider().sync(order_,
                               [&](const PushIntent& intent) {
                                   announced_ = intent;
                                   meanwhile();
                               },
                               {});
    }

    SyncResult sync() { return try_sync().value(); }

    std::string error_of(const std::function<void()>& meanwhile = [] {}) {
        try {
            return fmt::format("no error, but {}", storage::name_of(try_sync(meanwhile)->state));
        } catch (const GitError& error) {
            return error.what();
        }
    }

    std::string tip() const { return sandbox_.tip(fork_, order_.branch.name); }
    fs::path copy() const { return cache_ / "forks/acme/widget.git"; }

    testing::GitSandbox sandbox_;
    const fs::path cache_ = sandbox_.directory() / "cache";
    const std::string upstream_ = sandbox_.make("upstream");
    std::string fork_;
    std::string first_;
    GitProvider::Order order_;
    std::optional<PushIntent> announced_;
    std::chrono::milliseconds fetch_limit_{1min};
};

// For git fast-import: one more commit on a branch. `links` say what it comes from, where that is not the last one.
std::string commit_in_stream(const std::string& branch, const std::string& subject, const std::string& links,
                             const std::string& file, int content) {
    const auto text = fmt::format("{}\n", content);
    return fmt::format(
        "commit refs/heads/{}\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata {}\n{}\n{}M 100644 inline {}\n"
        "data {}\n{}\n",
        branch, subject.size(), subject, links, file, text.size(), text);
}

TEST_F(ForksGit, a_branch_that_is_behind_is_fast_forwarded) {
    sandbox_.commit(upstream_, "main", "a", "two\n");
    const auto head = sandbox_.commit(upstream_, "main", "a", "three\n");
    const auto result = sync();
    EXPECT_EQ(result.state, SyncState::updated);
    EXPECT_EQ(result.before_sha, first_);
    EXPECT_EQ(result.after_sha, head);
    EXPECT_EQ(result.detail, "fast-forward");
    EXPECT_EQ(tip(), head);
    EXPECT_EQ(announced_->after_sha, head) << "before it was pushed";
}

TEST_F(ForksGit, a_branch_that_has_everything_is_current) {
    EXPECT_EQ(sync().state, SyncState::current);
    const auto own = sandbox_.commit(fork_, "main", "own", "1\n");
    const auto result = sync();
    EXPECT_EQ(result.state, SyncState::current);
    EXPECT_EQ(result.after_sha, own);
    EXPECT_EQ(tip(), own);
    EXPECT_FALSE(announced_);
}

TEST_F(ForksGit, branches_that_went_apart_are_merged_by_millrace_and_always_into_the_same_commit) {
    const auto own = sandbox_.commit(fork_, "main", "own", "1\n");
    const auto theirs = sandbox_.commit(upstream_, "main", "a", "two\n");
    const auto result = sync();
    EXPECT_EQ(result.state, SyncState::updated);
    EXPECT_EQ(result.before_sha, own);
    EXPECT_EQ(result.detail, "merge");
    EXPECT_EQ(result.after_sha, tip());
    EXPECT_EQ(sandbox_.git(fork_, {"show", "-s", "--format=%P|%an|%ce|%ct|%s", "main"}),
              fmt::format("{} {}|millrace|millrace@millrace.invalid|1700000000|Merge branch 'upstream:main' into main",
                          own, theirs));
    EXPECT_EQ(sandbox_.git(fork_, {"show", "main:a"}), "two");
    EXPECT_EQ(sandbox_.git(fork_, {"show", "main:own"}), "1");

    sandbox_.reset(fork_, "main", own);
    fs::remove_all(cache_);  // as on another host
    EXPECT_EQ(sync().after_sha, result.after_sha);
}

TEST_F(ForksGit, a_conflict_changes_nothing_and_says_where) {
    const auto own = sandbox_.commit(fork_, "main", "a", "mine\n");
    sandbox_.commit(upstream_, "main", "a", "theirs\n");
    const auto result = sync();
    EXPECT_EQ(result.state, SyncState::conflict);
    EXPECT_EQ(result.detail, "both changed a");
    EXPECT_EQ(result.before_sha, own);
    EXPECT_EQ(tip(), own);
    for (const auto* file : {"b", "c", "d", "e", "f", "g"}) {
        sandbox_.commit(fork_, "main", file, "mine\n");
        sandbox_.commit(upstream_, "main", file, "theirs\n");
    }
    EXPECT_EQ(sync().detail, "both changed a, b, c, d, e and 2 more");
}

TEST_F(ForksGit, histories_without_a_common_commit_are_a_conflict) {
    sandbox_.remove(upstream_, "main");
    sandbox_.commit(upstream_, "main", "a", "another beginning\n");
    const auto result = sync();
    EXPECT_EQ(result.state, SyncState::conflict);
    EXPECT_EQ(result.detail, "fork and upstream have no commit in common");
    EXPECT_EQ(tip(), first_);
}

TEST_F(ForksGit, a_branch_that_is_missing_somewhere_is_skipped) {
    order_.branch = {"17.0"};
    EXPECT_EQ(sync().detail, "neither side has a branch 17.0");
    sandbox_.reset(upstream_, "17.0", first_);
    EXPECT_EQ(sync().state, SyncState::skipped);
    EXPECT_EQ(sync().detail, "the fork has no branch 17.0");
    EXPECT_EQ(tip(), "");
    sandbox_.remove(upstream_, "17.0");
    sandbox_.reset(fork_, "17.0", first_);
    EXPECT_EQ(sync().detail, "the upstream has no branch 17.0");
    EXPECT_EQ(tip(), first_);

    order_.branch = {"main"};
    order_.upstream = {sandbox_.make("empty")};
    EXPECT_EQ(sync().state, SyncState::skipped);
    order_.origin = {sandbox_.make("empty_too")};
    EXPECT_EQ(sync().state, SyncState::skipped);
}

TEST_F(ForksGit, a_branch_is_not_mistaken_for_another_whose_name_ends_alike) {
    sandbox_.git(upstream_, {"update-ref", "refs/other/refs/heads/17.0", first_});
    order_.branch = {"17.0"};
    EXPECT_EQ(sync().state, SyncState::skipped);
}

TEST_F(ForksGit, a_rewritten_upstream_is_followed_where_the_fork_had_not_seen_it_and_merged_where_it_had) {
    sandbox_.commit(upstream_, "main", "b", "first try\n");
    ASSERT_EQ(sync().state, SyncState::updated);
    const auto seen = sandbox_.commit(upstream_, "main", "c", "seen\n");
    ASSERT_EQ(sync().after_sha, seen);
    // The fork goes back to before; our copy still has what the upstream took back.
    sandbox_.reset(fork_, "main", first_);
    sandbox_.reset(upstream_, "main", first_);
    const auto rewritten = sandbox_.commit(upstream_, "main", "b", "second try\n");
    EXPECT_EQ(sync().after_sha, rewritten);

    const auto kept = sandbox_.commit(fork_, "main", "own", "1\n");
    sandbox_.reset(upstream_, "main", first_);
    const auto again = sandbox_.commit(upstream_, "main", "d", "third try\n");
    const auto result = sync();
    EXPECT_EQ(result.detail, "merge");
    EXPECT_TRUE(sandbox_.succeeds(fork_, {"merge-base", "--is-ancestor", kept, "main"}))
        << "nothing of the fork is lost";
    EXPECT_TRUE(sandbox_.succeeds(fork_, {"merge-base", "--is-ancestor", again, "main"}));
}

TEST_F(ForksGit, what_somebody_pushes_meanwhile_is_not_overwritten) {
    sandbox_.commit(upstream_, "main", "a", "two\n");
    std::string theirs;
    const auto error = error_of([&] { theirs = sandbox_.commit(fork_, "main", "own", "just in time\n"); });
    EXPECT_EQ(error, "git push: main has moved meanwhile, nothing was pushed");
    EXPECT_EQ(tip(), theirs);
    EXPECT_EQ(sync().before_sha, theirs) << "the next attempt";
}

// The lease alone: what goes back to a known commit is a fast-forward for git, and would be pushed over.
TEST_F(ForksGit, a_branch_that_somebody_takes_back_meanwhile_stays_where_they_put_it) {
    sandbox_.commit(fork_, "main", "own", "a mistake\n");
    sandbox_.commit(upstream_, "main", "a", "two\n");
    EXPECT_THAT(error_of([&] { sandbox_.reset(fork_, "main", first_); }), HasSubstr("has moved meanwhile"));
    EXPECT_EQ(tip(), first_);
}

TEST_F(ForksGit, an_attempt_that_was_interrupted_after_its_push_counts_as_the_update_that_it_was) {
    const auto head = sandbox_.commit(upstream_, "main", "a", "two\n");
    ASSERT_EQ(sync().after_sha, head);
    order_.intent = announced_;
    auto result = sync();
    EXPECT_EQ(result.state, SyncState::updated);
    EXPECT_EQ(result.before_sha, first_);
    EXPECT_EQ(result.after_sha, head);
    EXPECT_FALSE(announced_) << "nothing is pushed again";

    const auto own = sandbox_.commit(fork_, "main", "own", "on top\n");
    EXPECT_EQ(sync().state, SyncState::updated);
    sandbox_.commit(upstream_, "main", "b", "and more\n");
    result = sync();
    EXPECT_EQ(result.before_sha, first_) << "of both pushes";
    EXPECT_EQ(result.after_sha, tip());
    EXPECT_NE(tip(), own);
}

TEST_F(ForksGit, an_announced_push_that_did_not_take_place_does_not_count) {
    order_.intent = PushIntent{first_, std::string(40, 'a')};
    EXPECT_EQ(sync().state, SyncState::current);
    const auto head = sandbox_.commit(upstream_, "main", "a", "two\n");
    order_.intent = PushIntent{std::string(40, 'b'), head};
    const auto result = sync();
    EXPECT_EQ(result.detail, "fast-forward");
    EXPECT_EQ(result.before_sha, first_);
}

TEST_F(ForksGit, one_attempt_at_a_time_works_on_a_fork) {
    sandbox_.reset(upstream_, "17.0", sandbox_.commit(upstream_, "main", "a", "two\n"));
    bool was_busy = false;
    const auto result = try_sync([&] {
        auto other = order_;
        other.branch = {"17.0"};
        was_busy = !provider().sync(other, [](const PushIntent&) {}, {});
        other.fork = "acme/gadget";
        EXPECT_TRUE(provider().sync(other, [](const PushIntent&) {}, {})) << "another fork is free";
    });
    EXPECT_EQ(result->state, SyncState::updated);
    EXPECT_TRUE(was_busy);
    EXPECT_TRUE(try_sync()) << "free again";
}

TEST_F(ForksGit, a_branch_may_become_the_directory_of_another) {
    order_.branch = {"a"};
    sandbox_.reset(fork_, "a", first_);
    sandbox_.reset(upstream_, "a", sandbox_.commit(upstream_, "main", "a", "two\n"));
    ASSERT_EQ(sync().state, SyncState::updated);
    for (const auto& repository : {fork_, upstream_}) {
        sandbox_.remove(repository, "a");
        sandbox_.reset(repository, "a/b", first_);
    }
    order_.branch = {"a/b"};
    const auto head = sandbox_.commit(upstream_, "a/b", "a", "three\n");
    EXPECT_EQ(sync().after_sha, head);
}

TEST_F(ForksGit, hostile_names_and_addresses_do_not_reach_git) {
    for (const auto* name : {"--upload-pack=touch pwned", "-f", "main:main", "a..b", "main\n", "+main", ""}) {
        order_.branch = {name};
        const auto error = error_of();
        EXPECT_TRUE(error.starts_with("the name of the branch") || error == "no error, but skipped") << name << error;
    }
    order_.branch = {"main"};
    const auto canary = (sandbox_.directory() / "pwned").string();
    for (const auto& url : {"ext::touch " + canary, "ext::touch%20" + canary, "--upload-pack=touch " + canary,
                            "ssh://-oProxyCommand=touch/" + canary, std::string{"relative"}}) {
        order_.upstream = {url};
        EXPECT_THAT(error_of(), HasSubstr("the address of the repository")) << url;
        order_.upstream = {upstream_};
        order_.origin = {url};
        EXPECT_THAT(error_of(), HasSubstr("the address of the repository")) << url;
        order_.origin = {fork_};
    }
    EXPECT_FALSE(fs::exists(canary));
}

TEST_F(ForksGit, no_hook_and_no_configuration_takes_part) {
    ASSERT_EQ(sync().state, SyncState::current);
    const auto canary = sandbox_.directory() / "hooked";
    fs::create_directories(copy() / "hooks");
    for (const auto* hook : {"pre-push", "reference-transaction", "post-index-change"}) {
        std::ofstream{copy() / "hooks" / hook} << "#!/bin/sh\ntouch " << canary.string() << "\n";
        fs::permissions(copy() / "hooks" / hook, fs::perms::owner_all);
    }
    std::ofstream{sandbox_.directory() / ".gitconfig"} << "[url \"/nowhere\"]\n\tinsteadOf = " << fork_ << "\n"
                                                       << "[core]\n\thooksPath = " << (copy() / "hooks").string()
                                                       << "\n";
    sandbox_.commit(fork_, "main", "own", "1\n");
    sandbox_.commit(upstream_, "main", "a", "two\n");
    EXPECT_EQ(sync().detail, "merge");
    EXPECT_FALSE(fs::exists(canary));
}

TEST_F(ForksGit, what_the_fork_refuses_is_an_error_in_its_words) {
    const auto hook = fs::path{fork_} / "hooks" / "pre-receive";
    fs::create_directories(hook.parent_path());
    std::ofstream{hook} << "#!/bin/sh\necho protected branch >&2\nexit 1\n";
    fs::permissions(hook, fs::perms::owner_all);
    sandbox_.commit(upstream_, "main", "a", "two\n");
    EXPECT_THAT(error_of(), AllOf(HasSubstr("git push exited with 1"), HasSubstr("protected branch")));
    EXPECT_EQ(tip(), first_);
}

TEST_F(ForksGit, errors_name_the_remote_but_no_credentials) {
    order_.upstream = {"http://bot:s3cret@127.0.0.1:1/x"};
    EXPECT_THAT(error_of(), AllOf(HasSubstr("git ls-remote exited with 128"), HasSubstr("127.0.0.1"),
                                  Not(HasSubstr("s3cret")), Not(HasSubstr("bot"))));
    order_.upstream = {"/nowhere"};
    EXPECT_THAT(error_of(), HasSubstr("/nowhere"));
}

TEST_F(ForksGit, a_broken_copy_is_given_up_after_it_failed_twice) {
    sandbox_.commit(upstream_, "main", "a", "two\n");
    ASSERT_EQ(sync().state, SyncState::updated);
    const auto head = sandbox_.commit(upstream_, "main", "a", "three\n");
    std::ofstream{copy() / "refs/millrace/upstream/main.lock"}.close();  // as a host leaves it that crashes
    EXPECT_THAT(error_of(), HasSubstr("main.lock"));
    EXPECT_TRUE(fs::exists(copy()));
    order_.attempt = 2;
    EXPECT_THAT(error_of(), HasSubstr("main.lock"));
    EXPECT_FALSE(fs::exists(copy()));
    order_.attempt = 3;
    EXPECT_EQ(sync().after_sha, head);
}

TEST_F(ForksGit, a_copy_that_lacks_what_it_should_have_is_given_up_after_it_failed_twice) {
    sandbox_.commit(fork_, "main", "a", "mine\n");
    sandbox_.commit(upstream_, "main", "a", "theirs\n");
    ASSERT_EQ(sync().state, SyncState::conflict);
    const auto blob = sandbox_.git(upstream_, {"rev-parse", "main:a"});
    ASSERT_TRUE(fs::remove(copy() / "objects" / blob.substr(0, 2) / blob.substr(2)));
    EXPECT_THAT(error_of(), HasSubstr("git merge-tree"));
    order_.attempt = 2;
    EXPECT_THAT(error_of(), HasSubstr("git merge-tree"));
    EXPECT_FALSE(fs::exists(copy()));
    EXPECT_EQ(sync().state, SyncState::conflict);
}

TEST_F(ForksGit, a_copy_is_kept_when_the_fork_refuses_what_is_pushed) {
    sandbox_.commit(upstream_, "main", "a", "two\n");
    order_.attempt = 5;
    EXPECT_THAT(error_of([&] { sandbox_.commit(fork_, "main", "own", "just in time\n"); }),
                HasSubstr("has moved meanwhile"));
    EXPECT_TRUE(fs::exists(copy()));
}

TEST_F(ForksGit, a_copy_is_kept_when_a_remote_does_not_answer) {
    ASSERT_EQ(sync().state, SyncState::current);
    order_.attempt = 5;
    order_.upstream = {"/nowhere"};
    EXPECT_THAT(error_of(), HasSubstr("/nowhere"));
    EXPECT_TRUE(fs::exists(copy()));
}

// Where its branch is, as a forge says it over http to whoever asks for references.
testing::WebReply references(const std::string& tip) {
    const auto packet = [](const std::string& text) { return fmt::format("{:04x}{}", text.size() + 4, text); };
    const std::string capabilities("\0ofs-delta\n", 11);
    return testing::web_reply(
        200, packet("# service=git-upload-pack\n") + "0000" + packet(tip + " refs/heads/main" + capabilities) + "0000",
        {{"Content-Type", "application/x-git-upload-pack-advertisement"}});
}

TEST_F(ForksGit, a_copy_is_kept_when_a_remote_hangs_or_breaks_off_amid_a_fetch) {
    using testing::WebReply;
    ASSERT_EQ(sync().state, SyncState::current);
    order_.attempt = 2;
    fetch_limit_ = 2s;
    const std::string no_pack("0008NAK\nPACK\0\0\0\2\0\0\0\1", 20);
    const std::vector<std::pair<WebReply, std::string>> cases{
        {{"", WebReply::Then::hang}, "git fetch ran out of time"},
        {{"", WebReply::Then::close}, "RPC failed"},
        {testing::web_reply(200, no_pack, {{"Content-Type", "application/x-git-upload-pack-result"}}), "early EOF"},
    };
    for (const auto& [answer, said] : cases) {
        const testing::WebServer forge{[&, &reply = answer](const testing::WebRequest& request) {
            return request.method == "GET" ? references(std::string(40, 'a')) : reply;
        }};
        order_.upstream = {forge.url() + "/upstream.git"};
        EXPECT_THAT(error_of(), HasSubstr(said));
        EXPECT_TRUE(fs::exists(copy())) << said;
    }
}

// Accepts connections, and that is all.
class SilentServer {
public:
    SilentServer() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        if (bind(socket_, any, length) != 0 || listen(socket_, 8) != 0 || getsockname(socket_, any, &length) != 0) {
            throw std::runtime_error{"cannot listen"};
        }
        port_ = ntohs(address.sin_port);
    }
    ~SilentServer() { close(socket_); }
    SilentServer(const SilentServer&) = delete;
    SilentServer& operator=(const SilentServer&) = delete;
    std::string url() const { return fmt::format("git://127.0.0.1:{}/x", port_); }

private:
    const int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port_ = 0;
};

TEST_F(ForksGit, a_remote_that_says_nothing_is_not_waited_for_beyond_the_limit_nor_beyond_a_stop) {
    const SilentServer silent;
    order_.upstream = {silent.url()};
    const auto error_within = [&](std::chrono::milliseconds limit, const std::stop_token& stop) -> std::string {
        try {
            const auto result = provider(limit).sync(
                order_, [](const PushIntent&) {}, stop);
            return "no error";
        } catch (const GitError& error) {
            return error.what();
        }
    };
    EXPECT_THAT(error_within(500ms, {}), HasSubstr("ran out of time"));
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THAT(error_within(1min, stop.get_token()), HasSubstr("was asked to stop"));
}

TEST_F(ForksGit, the_cache_is_closed_to_others) {
    ASSERT_EQ(sync().state, SyncState::current);
    EXPECT_EQ(fs::status(cache_ / "forks").permissions(), fs::perms::owner_all);
}

TEST_F(ForksGit, says_how_the_branch_differs_when_it_is_asked_to) {
    EXPECT_FALSE(sync().divergence);
    order_.compares = true;
    auto same = sync().divergence;
    ASSERT_TRUE(same);
    EXPECT_EQ(std::tuple(same->ahead, same->behind, same->subjects.size()), std::tuple(0, 0, 0U));

    sandbox_.commit(fork_, "main", "own", "1\n");
    sandbox_.commit(upstream_, "main", "a", "two\n");
    const auto merged = sync();
    ASSERT_TRUE(merged.divergence);
    EXPECT_EQ(std::tuple(merged.divergence->ahead, merged.divergence->behind), std::tuple(2, 0));
    ASSERT_EQ(merged.divergence->subjects.size(), 2U);
    EXPECT_EQ(merged.divergence->subjects.front(), "Merge branch 'upstream:main' into main");
    EXPECT_EQ(sync().divergence->ahead, 2) << "of what is current as well";

    sandbox_.commit(fork_, "main", "a", "mine\n");
    sandbox_.commit(upstream_, "main", "a", "theirs\n");
    const auto conflict = sync();
    EXPECT_EQ(conflict.state, SyncState::conflict);
    EXPECT_FALSE(conflict.divergence) << "what was not synchronised is not compared";
}

TEST_F(ForksGit, names_up_to_a_thousand_commits_that_the_fork_is_ahead) {
    order_.compares = true;
    for (const int merges : {300, 1100}) {
        std::string stream;
        for (int number = 1; number <= merges; ++number) {
            const auto beginning = number == 1 ? fmt::format("from {}\n", first_) : "";
            stream += commit_in_stream("theirs", "work", beginning, "theirs", number);
            stream += commit_in_stream("main", "Merge branch 'upstream:main' into main",
                                       beginning + "merge refs/heads/theirs\n", "theirs", number);
        }
        order_.origin = {sandbox_.clone(upstream_, fmt::format("fork-{}", merges))};
        order_.upstream = {sandbox_.clone(upstream_, fmt::format("upstream-{}", merges))};
        sandbox_.fast_import(order_.origin.url, stream);
        sandbox_.git(order_.upstream.url,
                     {"fetch", "--quiet", order_.origin.url, "+refs/heads/theirs:refs/heads/main"});
        const auto found = sync().divergence;
        ASSERT_TRUE(found);
        EXPECT_EQ(std::tuple(found->ahead, found->behind), std::tuple(merges, 0));
        EXPECT_THAT(found->subjects, AllOf(SizeIs(std::min(merges, 1000)), Each(StartsWith("Merge branch"))));
    }
}

TEST_F(ForksGit, a_history_of_twenty_thousand_commits_is_fast_forwarded_and_merged) {
    constexpr int commits = 20'000;
    order_.compares = true;
    std::string stream;
    for (int number = 1; number <= commits; ++number) {
        const auto beginning = number == 1 ? fmt::format("from {}\n", first_) : "";
        stream += commit_in_stream("main", "work", beginning, "theirs", number / 100);
    }
    sandbox_.fast_import(upstream_, stream);
    EXPECT_EQ(sync().detail, "fast-forward");
    EXPECT_EQ(tip(), sandbox_.tip(upstream_, "main"));

    sandbox_.reset(fork_, "main", first_);
    sandbox_.commit(fork_, "main", "own", "1\n");
    const auto merged = sync();
    EXPECT_EQ(merged.detail, "merge");
    ASSERT_TRUE(merged.divergence);
    EXPECT_EQ(std::tuple(merged.divergence->ahead, merged.divergence->behind), std::tuple(2, 0));
    EXPECT_EQ(sandbox_.git(fork_, {"rev-list", "--count", "main"}), std::to_string(commits + 3));
}

TEST_F(ForksGit, does_not_say_how_it_differs_when_that_is_more_than_it_can_read) {
    order_.compares = true;
    for (int number = 0; number < 11; ++number)
        sandbox_.commit(fork_, "main", "own", fmt::format("{}{}\n", number, std::string(100'000, 'x')));
    const auto result = sync();
    EXPECT_EQ(result.state, SyncState::current);
    EXPECT_FALSE(result.divergence) << "the newest would be missing";
}

}  // namespace
}  // namespace millrace::handlers::forks
