// `forks.sync` as a job: real repositories, a real queue, a real worker.

#include "handlers/forks/sync.hpp"
#include "storage/error.hpp"
#include "storage/job_store.hpp"
#include "storage/worker_store.hpp"
#include "support/database.hpp"
#include "support/git_sandbox.hpp"
#include "support/running_worker.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace millrace::handlers::forks {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class ForksSync : public ::testing::Test {
protected:
    ForksSync() {
        first_ = sandbox_.commit(upstream_, "main", "a", "one\n");
        fork_ = sandbox_.clone(upstream_, "fork");
        database_.create_queue("forks",
                               "max_attempts => 2, retry_base => '10 milliseconds', retry_cap => '10 milliseconds'");
        add_fork("acme/widget", fork_);
    }

    void add_fork(const std::string& repo, const std::string& origin) {
        database_.execute("select forks.add_fork($1, $2, $3, '{main,17.0}')", {repo, origin, upstream_});
    }

    std::unique_ptr<Sync> handler() {
        return std::make_unique<Sync>(
            pool_, Sync::Settings{.git = {.cache = sandbox_.directory() / "cache",
                                          .git = {.environment = {fmt::format("PATH={}", std::getenv("PATH"))}}},
                                  .busy_delay = 20ms,
                                  .counts = &counts_});
    }

    void start() {
        engine::Registry registry;
        registry.add("forks.sync", handler());
        auto settings = testing::quick_settings();
        settings.queues.front().name = "forks";
        worker_.emplace(database_.sessions(), std::move(registry), settings);
    }

    std::int64_t enqueue(const std::string& payload = R"({"fork": "acme/widget", "branch": "main"})") {
        return database_.enqueue("forks", "forks.sync", payload);
    }
    bool reaches(std::int64_t job, const std::string& state) {
        return database_.becomes("select state from millrace.jobs where id = " + std::to_string(job), state);
    }
    std::string results() {
        return database_.value(
            "select string_agg(concat_ws(' ', fork, branch, state, detail), e'\\n' order by job, branch)"
            "  from forks.results");
    }
    std::string error_of(std::int64_t job) {
        return database_.value("select error from millrace.dead_letters where job_id = " + std::to_string(job));
    }

    testing::GitSandbox sandbox_;
    testing::Database database_;
    storage::SessionPool pool_{database_.sessions()};
    SyncCounts counts_;
    const std::string upstream_ = sandbox_.make("upstream");
    std::string fork_;
    std::string first_;
    std::optional<testing::RunningWorker> worker_;
};

TEST_F(ForksSync, a_fork_is_synchronised_branch_by_branch) {
    const auto head = sandbox_.commit(upstream_, "main", "a", "two\n");
    start();
    database_.execute("select forks.sync_now('acme/widget')");
    ASSERT_TRUE(database_.becomes("select count(*) from millrace.jobs where state = 'completed'", "2"));
    EXPECT_EQ(results(),
              "acme/widget main updated fast-forward\nacme/widget 17.0 skipped neither side has a branch 17.0");
    EXPECT_EQ(sandbox_.tip(fork_, "main"), head);
    EXPECT_EQ(database_.value("select before_sha || after_sha from forks.results where branch = 'main'"),
              first_ + head);
    EXPECT_EQ(database_.value("select result->>'after' from millrace.jobs where payload->>'branch' = 'main'"), head);
    EXPECT_EQ(database_.value("select count(*) from forks.push_intent"), "0");
    EXPECT_EQ(counts_.count(storage::SyncState::updated), 1U);
    EXPECT_EQ(counts_.count(storage::SyncState::skipped), 1U);

    database_.execute("select forks.sync_now('acme/widget', 'main')");
    EXPECT_TRUE(database_.becomes("select state from forks.results order by job desc limit 1", "current"));
}

TEST_F(ForksSync, a_conflict_is_a_result_and_not_an_error) {
    sandbox_.commit(fork_, "main", "a", "mine\n");
    sandbox_.commit(upstream_, "main", "a", "theirs\n");
    start();
    ASSERT_TRUE(reaches(enqueue(), "completed"));
    EXPECT_EQ(results(), "acme/widget main conflict both changed a");
    EXPECT_EQ(counts_.count(storage::SyncState::conflict), 1U);
}

TEST_F(ForksSync, a_conflict_is_one_whatever_the_files_are_called) {
    const std::string folder(200, 'x');
    std::string deep;
    while (deep.size() < 4000)
        deep += folder + "/";
    for (const auto& file : {std::string{"caf\xe9"}, deep + "y"}) {
        sandbox_.commit(fork_, "main", file, "mine\n");
        sandbox_.commit(upstream_, "main", file, "theirs\n");
    }
    start();
    ASSERT_TRUE(reaches(enqueue(), "completed"));
    EXPECT_THAT(results(), HasSubstr("acme/widget main conflict both changed caf?, xxx"));
}

TEST_F(ForksSync, what_fails_is_tried_again_and_at_last_recorded_as_failed) {
    add_fork("acme/gone", "/nowhere");
    start();
    const auto job = enqueue(R"({"fork": "acme/gone", "branch": "main"})");
    ASSERT_TRUE(reaches(job, "discarded"));
    EXPECT_THAT(error_of(job), HasSubstr("/nowhere"));
    EXPECT_THAT(results(), HasSubstr("acme/gone main failed git ls-remote exited with 128"));
    EXPECT_EQ(counts_.count(storage::SyncState::failed), 1U) << "of the job, not of its attempts";
    EXPECT_EQ(database_.value("select count(*) from millrace.attempt_failure"), "2");

    // Replayed after the cause is gone: the result takes the place of the failure.
    database_.execute("update forks.fork set origin_url = $1 where repo = 'acme/gone'", {fork_});
    database_.execute("select millrace.replay($1::bigint)", {std::to_string(job)});
    ASSERT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(results(), "acme/gone main current");
}

TEST_F(ForksSync, a_disabled_fork_is_skipped) {
    sandbox_.commit(upstream_, "main", "a", "two\n");
    const auto job = enqueue();
    database_.execute("select forks.disable_fork('acme/widget')");
    start();
    ASSERT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(results(), "acme/widget main skipped the fork is disabled");
    EXPECT_EQ(sandbox_.tip(fork_, "main"), first_);
}

TEST_F(ForksSync, a_branch_that_is_not_listed_any_more_is_skipped_by_the_run_that_it_was_planned_for) {
    database_.execute("select forks.start_run('default')");
    database_.execute("select forks.change_fork('acme/widget', '{\"branches\": [\"main\"]}')");
    start();
    ASSERT_TRUE(database_.becomes("select count(*) from forks.results", "2"));
    EXPECT_EQ(results(),
              "acme/widget main current\nacme/widget 17.0 skipped the fork does not list the branch any more");
}

TEST_F(ForksSync, a_job_may_name_only_what_is_registered) {
    start();
    const std::vector<std::pair<std::string, std::string>> refused{
        {R"({"fork": "acme/gadget", "branch": "main"})", "unknown fork acme/gadget"},
        {R"({"fork": "acme/widget", "branch": "master"})", "acme/widget does not list the branch master"},
        {R"({"fork": "acme/widget", "branch": "--mirror"})", "payload key \"branch\": begins with a hyphen"},
        {R"({"fork": "acme/widget", "branch": 17.0})",
         "payload key \"branch\": must be a string; it is of type number"},
        {R"({"fork": "acme/widget"})", "payload key \"branch\": is missing"},
        {R"({"branch": "main"})", "payload key \"fork\": is missing"},
        {R"({"fork": "acme/widget", "brunch": "main"})", R"(payload key "brunch": not known; did you mean "branch"?)"},
        {R"({"fork": "acme/widget", "branch": "main", "run": "x"})", "payload key \"run\": must be the number"},
        {R"(["acme/widget"])", "the payload must be a JSON object"},
    };
    for (const auto& [payload, reason] : refused) {
        const auto job = enqueue(payload);
        ASSERT_TRUE(reaches(job, "discarded")) << payload;
        EXPECT_THAT(error_of(job), HasSubstr(reason));
    }
    EXPECT_EQ(results(), "");
}

TEST_F(ForksSync, many_jobs_of_one_fork_take_turns) {
    for (int i = 0; i < 6; ++i)
        enqueue();
    const auto head = sandbox_.commit(upstream_, "main", "a", "two\n");
    start();
    ASSERT_TRUE(database_.becomes("select count(*) from millrace.jobs where state = 'completed'", "6"));
    EXPECT_EQ(database_.value("select count(*) from forks.results where state = 'updated'"), "1");
    EXPECT_EQ(database_.value("select count(*) from millrace.attempt_failure"), "0") << "waiting is no failure";
    EXPECT_EQ(sandbox_.tip(fork_, "main"), head);
}

TEST_F(ForksSync, a_session_that_was_cut_off_while_it_was_idle_costs_no_attempt) {
    start();
    ASSERT_TRUE(reaches(enqueue(), "completed"));
    ASSERT_EQ(database_.terminate("millrace forks"), 1) << "one is kept for the next job";
    ASSERT_TRUE(
        database_.becomes("select count(*) from pg_stat_activity where datname = current_database()"
                          " and application_name = 'millrace forks'",
                          "0"));
    EXPECT_TRUE(reaches(enqueue(), "completed"));
    EXPECT_EQ(database_.value("select count(*) from millrace.attempt_failure"), "0");
}

// One attempt, step by step.
class ForksSyncAttempt : public ForksSync {
protected:
    ForksSyncAttempt() {
        enqueue();
        const auto id = storage::WorkerStore{*session_}.open({"w", "1", {"forks"}, 30s});
        job_ = storage::JobStore{*session_}.claim(id, "forks", 1).at(0);
    }

    enum class Ending { commits, is_interrupted };

    core::Outcome attempt(Ending ending) {
        storage::Transaction transaction{*session_};
        auto outcome = handler()->run(job_, transaction, {});
        if (ending == Ending::commits) {
            storage::settle_within(transaction, {job_.id, job_.fence, outcome});
            transaction.commit();
        }
        return outcome;
    }

    std::unique_ptr<storage::Session> session_ = database_.sessions().open("test");
    core::Job job_;
};

TEST_F(ForksSyncAttempt, that_is_interrupted_after_its_push_is_repeated_without_a_trace) {
    const auto own = sandbox_.commit(fork_, "main", "own", "1\n");
    sandbox_.commit(upstream_, "main", "a", "two\n");
    attempt(Ending::is_interrupted);
    const auto merged = sandbox_.tip(fork_, "main");
    EXPECT_NE(merged, own);
    EXPECT_EQ(results(), "");

    attempt(Ending::commits);
    EXPECT_EQ(sandbox_.tip(fork_, "main"), merged) << "no second merge";
    EXPECT_EQ(results(), "acme/widget main updated by an attempt that was interrupted");
    EXPECT_EQ(database_.value("select before_sha || after_sha from forks.results"), own + merged);
    EXPECT_EQ(database_.value("select count(*) from forks.push_intent"), "0");
}

TEST_F(ForksSyncAttempt, that_has_lost_its_lease_pushes_nothing) {
    sandbox_.commit(upstream_, "main", "a", "two\n");
    database_.execute("update millrace.running set fence = fence + 1");  // as after a reap and another claim
    EXPECT_THROW(attempt(Ending::commits), storage::LeaseLost);
    EXPECT_EQ(sandbox_.tip(fork_, "main"), first_);
    EXPECT_EQ(results(), "");
}

TEST_F(ForksSyncAttempt, holds_no_lock_and_no_snapshot_while_git_works) {
    sandbox_.commit(upstream_, "main", "a", "two\n");
    // The fork asks, when it is pushed to, what our settling transaction holds at that moment.
    const auto seen = (sandbox_.directory() / "seen").string();
    const auto hook = std::filesystem::path{fork_} / "hooks" / "pre-receive";
    std::filesystem::create_directories(hook.parent_path());
    std::ofstream{hook} << "#!/bin/sh\npsql -X -A -t -v ON_ERROR_STOP=1 -d \"" << database_.admin_conninfo()
                        << "\" -c \""
                        << "select count(*), count(a.backend_xmin), count(a.backend_xid), count(l.pid)"
                        << "  from pg_stat_activity a left join pg_locks l on l.pid = a.pid and l.locktype = 'relation'"
                        << " where a.datname = current_database() and a.application_name = 'millrace test'\" >" << seen
                        << "\n";
    std::filesystem::permissions(hook, std::filesystem::perms::owner_all);
    attempt(Ending::commits);
    std::string line;
    std::getline(std::ifstream{seen} >> std::ws, line);
    EXPECT_EQ(line, "1|0|0|0");
    EXPECT_EQ(results(), "acme/widget main updated fast-forward");
}

TEST_F(ForksSyncAttempt, that_is_asked_to_stop_is_no_last_word) {
    sandbox_.commit(upstream_, "main", "a", "two\n");
    std::stop_source stop;
    stop.request_stop();
    job_.attempt = job_.max_attempts;
    storage::Transaction transaction{*session_};
    const auto outcome = handler()->run(job_, transaction, stop.get_token());
    ASSERT_TRUE(std::holds_alternative<core::Failed>(outcome));
    EXPECT_THAT(std::get<core::Failed>(outcome).error, HasSubstr("was asked to stop"));
}

TEST_F(ForksSyncAttempt, belongs_to_the_run_that_it_names) {
    const auto run = database_.value(
        "insert into forks.run (digest_group, started_at) values ('default', millrace.now()) returning id");
    database_.execute("insert into forks.run_item select $1::bigint, f.id, 'main', $2::bigint from forks.fork f",
                      {run, std::to_string(job_.id.value)});
    job_.payload = fmt::format(R"({{"fork": "acme/widget", "branch": "main", "run": {}}})", run);
    attempt(Ending::commits);
    EXPECT_EQ(database_.value("select run from forks.results"), run);
}

}  // namespace
}  // namespace millrace::handlers::forks
