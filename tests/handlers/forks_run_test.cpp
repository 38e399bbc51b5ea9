// A run of a group of forks as its jobs: real repositories, a real queue, a real worker; one digest at the end.

#include "handlers/email/send.hpp"
#include "handlers/forks/digest.hpp"
#include "handlers/forks/run.hpp"
#include "handlers/forks/sync.hpp"
#include "support/database.hpp"
#include "support/git_sandbox.hpp"
#include "support/running_worker.hpp"
#include "support/smtp_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <utility>

namespace millrace::handlers::forks {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ForksRun : public ::testing::Test {
protected:
    ForksRun() {
        first_ = sandbox_.commit(upstream_, "main", "a", "one\n");
        database_.create_queue("forks",
                               "max_attempts => 2, retry_base => '10 milliseconds', retry_cap => '10 milliseconds'");
        database_.create_queue("email", "max_attempts => 2");
        database_.execute("select forks.configure_group('default', '{\"recipients\": [\"ada@example.org\"]}')");
        for (const auto* name : {"good", "torn"})
            add(name, sandbox_.clone(upstream_, name));
        add("gone", path("gone"));
    }

    void add(const std::string& name, const std::string& origin) {
        database_.execute("select forks.add_fork($1, $2, $3)", {"acme/" + name, origin, upstream_});
        database_.execute("select forks.change_fork($1, '{\"upstream_org\": \"up\", \"upstream_repo\": \"stream\"}')",
                          {"acme/" + name});
    }

    std::string path(const std::string& name) const { return sandbox_.directory() / (name + ".git"); }

    void start(engine::Registry registry = {}) {
        registry.add("forks.run", std::make_unique<forks::Run>());
        registry.add("forks.digest", std::make_unique<Digest>());
        registry.add(
            "forks.sync",
            std::make_unique<Sync>(
                pool_, Sync::Settings{.git = {.cache = sandbox_.directory() / "cache",
                                              .git = {.environment = {fmt::format("PATH={}", std::getenv("PATH"))}}},
                                      .busy_delay = 20ms}));
        auto settings = testing::quick_settings();
        settings.queues.front().name = "forks";
        settings.queues.push_back({.name = "email", .slots = 2});
        worker_.emplace(database_.sessions(), std::move(registry), settings);
    }

    bool reaches(std::int64_t job, const std::string& state) {
        return database_.becomes("select state from millrace.jobs where id = " + std::to_string(job), state);
    }
    bool has_digests(const std::string& number) {
        return database_.becomes("select count(*) from forks.digests", number);
    }

    testing::GitSandbox sandbox_;
    testing::Database database_;
    storage::SessionPool pool_{database_.sessions()};
    const std::string upstream_ = sandbox_.make("upstream");
    std::string first_;
    std::optional<testing::RunningWorker> worker_;
};

TEST_F(ForksRun, ends_with_one_digest_whatever_became_of_its_jobs) {
    sandbox_.commit(path("torn"), "main", "a", "mine\n");
    const auto head = sandbox_.commit(upstream_, "main", "a", "theirs\n");
    start();
    ASSERT_TRUE(reaches(database_.enqueue("forks", "forks.run", R"({"group": "default"})"), "completed"));
    ASSERT_TRUE(has_digests("1"));
    EXPECT_EQ(sandbox_.tip(path("good"), "main"), head);
    EXPECT_EQ(database_.value("select string_agg(fork || ' ' || i.state || coalesce(' ' || divergence, ''), ', '"
                              " order by fork) from forks.runs r, forks.run_items(r.id) i"),
              "acme/gone failed, acme/good updated clean, acme/torn conflict");
    EXPECT_THAT(database_.value("select text from forks.digests"),
                AllOf(HasSubstr("3 branches of 3 forks: 1 updated, 2 failed"), HasSubstr("both changed a"),
                      HasSubstr("acme/good main: fast-forward")));
    EXPECT_EQ(database_.value("select payload ->> 'to' from millrace.jobs where kind = 'email.send'"),
              "ada@example.org");
    EXPECT_THAT(database_.value("select payload ->> 'subject' from millrace.jobs where kind = 'email.send'"),
                HasSubstr("— ⚠️ 2 sync fail"));
    EXPECT_EQ(database_.value("select result ->> 'digest' from millrace.jobs where kind = 'forks.digest'"), "mailed");
    EXPECT_EQ(database_.value("select state from forks.runs"), "finished");
}

TEST_F(ForksRun, ends_with_a_digest_that_reaches_its_readers_as_it_was_recorded) {
    sandbox_.commit(path("torn"), "main", "a", "mine\n");
    sandbox_.commit(upstream_, "main", "a", "theirs\n");
    testing::SmtpServer server{adapters::SmtpSecurity::none};
    adapters::Smtp smtp{server.settings()};
    testing::LogWatch log;
    engine::Registry registry;
    registry.add("email.send", std::make_unique<email::Send>(smtp, email::Send::Settings{"7311"}, log.log()));
    start(std::move(registry));
    database_.execute("select forks.start_run('default')");
    EXPECT_TRUE(database_.becomes("select state from millrace.jobs where kind = 'email.send'", "completed"));
    worker_.reset();

    const auto messages = server.messages();
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].to.at(0).address, "ada@example.org");
    EXPECT_EQ(messages[0].subject, database_.value("select subject from forks.digests"));
    const auto without_end = [](const std::string& text) { return text.substr(0, text.find_last_not_of("\r\n") + 1); };
    EXPECT_EQ(without_end(messages[0].text), without_end(database_.value("select text from forks.digests")));
    EXPECT_EQ(without_end(messages[0].html), without_end(database_.value("select html from forks.digests")));
}

TEST_F(ForksRun, says_what_has_diverged_and_is_resumed_with_what_has_failed) {
    sandbox_.commit(path("torn"), "main", "own", "mine\n");
    sandbox_.commit(upstream_, "main", "a", "theirs\n");
    start();
    database_.execute("select forks.start_run('default')");
    ASSERT_TRUE(has_digests("1"));
    EXPECT_EQ(database_.value("select divergence || ' ' || ahead || ' ' || unmanaged from forks.results"
                              " where fork = 'acme/torn'"),
              "diverged 2 1")
        << "its own commit and the merge, which is nobody's work";
    EXPECT_THAT(database_.value("select subject from forks.digests"),
                AllOf(HasSubstr("— ⚠️ 1 sync fail — ⚠️ 1 diverged"), Not(HasSubstr("dist"))));

    sandbox_.clone(upstream_, "gone");
    database_.execute("select forks.resume_run(id) from forks.runs");
    ASSERT_TRUE(has_digests("2"));
    EXPECT_EQ(database_.value("select count(*) from millrace.jobs where kind = 'forks.sync'"), "4")
        << "one more than at first";
    EXPECT_THAT(database_.value("select subject from forks.digests order by id desc limit 1"),
                Not(HasSubstr("sync fail")));
}

TEST_F(ForksRun, is_started_once_by_a_schedule_while_another_is_active) {
    database_.execute("select forks.start_run('default')");
    database_.execute("select millrace.pause_kind('forks.sync')");
    start();
    const auto job = database_.enqueue("forks", "forks.run", R"({"group": "default"})");
    ASSERT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(database_.value("select result ->> 'started' from millrace.jobs where kind = 'forks.run'"), "false");
    EXPECT_EQ(database_.value("select count(*) from forks.runs"), "1");
}

TEST_F(ForksRun, that_keeps_others_out_for_more_than_a_day_is_heard_of) {
    database_.execute("select forks.start_run('default')");
    database_.execute("select millrace.pause_kind('forks.sync')");
    database_.execute("update forks.run set started_at = started_at - interval '25 hours'");
    start();
    ASSERT_TRUE(reaches(database_.enqueue("forks", "forks.run", R"({"group": "default"})"), "discarded"));
    EXPECT_THAT(database_.value("select error from millrace.dead_letters"),
                HasSubstr("run 1 has been active for more than a day"));
}

TEST_F(ForksRun, is_not_started_where_no_fork_is_enabled) {
    database_.execute("select forks.disable_fork(repo) from forks.registry");
    start();
    const auto job = database_.enqueue("forks", "forks.run", R"({"group": "default"})");
    ASSERT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(database_.value("select result from millrace.jobs where kind = 'forks.run'"),
              R"({"run": null, "started": false})");
}

TEST_F(ForksRun, refuses_payloads_that_name_no_group_and_no_run) {
    start();
    for (const auto* payload : {"{}", "7", R"({"group": 7})", R"({"group": "default", "x": 1})"})
        EXPECT_TRUE(reaches(database_.enqueue("forks", "forks.run", payload), "discarded")) << payload;
    for (const auto* payload : {"{}", "7", R"({"run": "7"})", R"({"run": 7.5})"})
        EXPECT_TRUE(reaches(database_.enqueue("forks", "forks.digest", payload), "discarded")) << payload;
    const auto unknown = database_.enqueue("forks", "forks.digest", R"({"run": 4711})");
    ASSERT_TRUE(reaches(unknown, "discarded"));
    EXPECT_THAT(database_.value("select error from millrace.dead_letters where job_id = $1", {std::to_string(unknown)}),
                HasSubstr("unknown run 4711"));
}

}  // namespace
}  // namespace millrace::handlers::forks
