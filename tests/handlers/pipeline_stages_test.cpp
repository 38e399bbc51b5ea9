// The stages on a real database and a real repository: what each of them writes, and what it does when it is run again.

#include "support/pipeline_stages.hpp"
#include "storage/pipeline_tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <tuple>

namespace millrace::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* stages[] = {"process", "build", "run", "buildsignal", "record", "analyze"};

TEST(PipelineStagesTest, a_cold_start_is_built_in_full_and_becomes_a_fact_and_the_bookmark) {
    PipelineStages pipeline;
    const auto request = pipeline.push({{"a", "1"}});
    EXPECT_EQ(pipeline.state(request), "accepted");
    pipeline.validate();
    EXPECT_EQ(pipeline.waiting(), "");
    EXPECT_EQ(pipeline.state(request), "succeeded full");
    const auto head = pipeline.remote().head();
    EXPECT_EQ(pipeline.degree(head), "0");
    EXPECT_EQ(pipeline.database().value("select pipeline.latest_green('shop/main')"), pipeline.uri(head));
    EXPECT_EQ(pipeline.database().value("select pipeline.is_green('shop/main', $1)", {pipeline.uri(head)}), "t");
    EXPECT_EQ(pipeline.database().value("select concat_ws(' ', id, status, exit_code, log_tail) from pipeline.builds"),
              "command/1 succeeded 0 " + head + " against everything\n");
}

TEST(PipelineStagesTest, a_broken_head_becomes_a_fact_and_leaves_the_bookmark_where_it_is) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.validate();
    const auto request = pipeline.push({{"broken", ""}});
    pipeline.validate();
    EXPECT_EQ(pipeline.state(request), "failed incremental_since_green");
    EXPECT_EQ(pipeline.degree(pipeline.remote().head()), "1");
    EXPECT_EQ(pipeline.bookmark(), "1");
    EXPECT_EQ(pipeline.database().value("select reason from pipeline.builds where request = 2"), "sh exited with 1");
    EXPECT_EQ(pipeline.database().value("select pipeline.is_green('shop/main', $1)",
                                        {pipeline.uri(pipeline.remote().head())}),
              "f");
}

TEST(PipelineStagesTest, a_later_head_is_built_against_the_last_green) {
    PipelineStages pipeline;
    const auto green = pipeline.remote().head();
    pipeline.ingest(pipeline.uri(green));
    pipeline.validate();
    pipeline.push({{"broken", ""}});
    pipeline.validate();
    pipeline.remote().git({"rm", "--quiet", "broken"});
    const auto request = pipeline.push({});
    pipeline.validate();
    EXPECT_EQ(pipeline.state(request), "succeeded incremental_since_green");
    EXPECT_EQ(pipeline.database().value("select log_tail from pipeline.builds where request = 3"),
              pipeline.remote().head() + " against " + green + "\n");
    EXPECT_EQ(pipeline.bookmark(), "3");
}

TEST(PipelineStagesTest, a_duplicate_report_of_a_head_is_validated_once) {
    PipelineStages pipeline;
    const auto request = pipeline.push({{"a", "1"}});
    EXPECT_EQ(pipeline.ingest(pipeline.uri(pipeline.remote().head())), request);
    EXPECT_EQ(pipeline.waiting(), "process");
    EXPECT_EQ(pipeline.count("request"), "1");
    pipeline.validate();
    EXPECT_EQ(pipeline.waiting(), "");
}

TEST(PipelineStagesTest, a_race_of_two_pollers_mints_one_request) {
    PipelineStages pipeline;
    const auto uri = pipeline.uri(pipeline.remote().head());
    const auto ingest = [&](storage::Transaction& transaction) {
        storage::pipeline::StoreCounts counts;
        storage::pipeline::Tables tables{transaction, counts};
        return tables.stores().queues.ingest("shop/main", uri).value;
    };
    const auto session = pipeline.database().sessions().open("first");
    storage::Transaction first{*session};
    EXPECT_EQ(ingest(first), 1);
    auto second = std::async(std::launch::async, [&] {
        const auto own_session = pipeline.database().sessions().open("second");
        storage::Transaction transaction{*own_session};
        const auto request = ingest(transaction);
        transaction.commit();
        return request;
    });
    EXPECT_TRUE(pipeline.database().becomes(
        "select count(*) from pg_stat_activity where application_name = 'millrace second' and wait_event_type = 'Lock'",
        "1"));
    first.commit();
    EXPECT_EQ(second.get(), 1);
    EXPECT_EQ(pipeline.waiting(), "process");
}

TEST(PipelineStagesTest, a_poll_ingests_the_head_once) {
    PipelineStages pipeline;
    for (int poll = 0; poll < 2; ++poll) {
        pipeline.database().execute("select pipeline.poll('shop/main')");
        EXPECT_EQ(pipeline.step("pipeline.ingest"), "completed");
    }
    EXPECT_EQ(pipeline.waiting(), "process");
    EXPECT_EQ(pipeline.database().value("select uri from pipeline.requests"), pipeline.uri(pipeline.remote().head()));
}

TEST(PipelineStagesTest, a_poll_that_was_overtaken_asks_again) {
    PipelineStages pipeline;
    auto& database = pipeline.database();
    database.execute("select pipeline.poll('shop/main')");
    const auto session = database.sessions().open("other");
    storage::Transaction other{*session};
    storage::pipeline::StoreCounts counts;
    storage::pipeline::Tables tables{other, counts};
    std::ignore = tables.stores().queues.lock("shop/main");
    auto poll = std::async(std::launch::async, [&] { return pipeline.step("pipeline.ingest"); });
    EXPECT_TRUE(
        database.becomes("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                         "   and datname = current_database()",
                         "1"));
    std::ignore = tables.stores().queues.ingest("shop/main", pipeline.uri(std::string(40, 'b')));
    other.commit();
    EXPECT_EQ(poll.get(), "snoozed") << "what it was told is older than what was reported meanwhile";
    EXPECT_EQ(pipeline.count("request"), "1");
    database.execute("select millrace.retry(id) from millrace.jobs where kind = 'pipeline.ingest'");
    EXPECT_EQ(pipeline.step("pipeline.ingest"), "completed");
    EXPECT_EQ(pipeline.count("request"), "2");
}

TEST(PipelineStagesTest, a_head_that_is_outdated_before_it_is_processed_is_superseded) {
    PipelineStages pipeline;
    const auto first = pipeline.push({{"a", "1"}});
    const auto second = pipeline.push({{"a", "2"}});
    EXPECT_EQ(pipeline.step("pipeline.process"), "completed");  // of the first
    EXPECT_EQ(pipeline.state(first), "superseded");
    EXPECT_EQ(pipeline.waiting(), "process");
    pipeline.validate();
    EXPECT_EQ(pipeline.state(second), "succeeded full");
    EXPECT_EQ(pipeline.count("validation_fact"), "1");
}

TEST(PipelineStagesTest, a_closed_gate_is_reopened_by_success) {
    PipelineStages pipeline;
    const auto first = pipeline.push({{"a", "1"}});
    pipeline.step("pipeline.process");
    const auto second = pipeline.push({{"a", "2"}});
    EXPECT_EQ(pipeline.step("pipeline.process"), "completed");
    const auto third = pipeline.push({{"a", "3"}});
    EXPECT_EQ(pipeline.step("pipeline.process"), "completed");
    EXPECT_EQ(pipeline.state(second), "superseded");
    EXPECT_EQ(pipeline.state(third), "accepted");
    EXPECT_EQ(pipeline.waiting(), "build");  // nobody polls at the gate

    pipeline.steps({"build", "run", "buildsignal"});
    EXPECT_EQ(pipeline.state(first), "succeeded full");
    EXPECT_EQ(pipeline.waiting(), "record process");
    pipeline.finish();
    EXPECT_EQ(pipeline.state(third), "succeeded incremental_since_green");
    EXPECT_EQ(pipeline.bookmark(), "3");
}

TEST(PipelineStagesTest, a_closed_gate_is_reopened_by_failure) {
    PipelineStages pipeline;
    pipeline.push({{"broken", ""}});
    pipeline.step("pipeline.process");
    pipeline.remote().git({"rm", "--quiet", "broken"});
    const auto second = pipeline.push({});
    pipeline.finish();
    EXPECT_EQ(pipeline.state(second), "succeeded full");
}

TEST(PipelineStagesTest, as_many_requests_as_there_are_slots_are_validated_at_once) {
    PipelineStages pipeline{"max_concurrent => 2"};
    for (const auto* text : {"1", "2", "3"}) {
        pipeline.push({{"a", text}});
        pipeline.step("pipeline.process");
    }
    EXPECT_EQ(pipeline.state(1), "processing full");
    EXPECT_EQ(pipeline.state(2), "processing full");
    EXPECT_EQ(pipeline.state(3), "accepted");
}

TEST(PipelineStagesTest, a_late_older_green_does_not_move_the_bookmark) {
    PipelineStages pipeline{"max_concurrent => 2"};
    for (const auto* text : {"1", "2"}) {
        pipeline.push({{"a", text}});
        pipeline.step("pipeline.process");
    }
    pipeline.steps({"build", "build", "run", "run", "buildsignal", "buildsignal"});
    auto& database = pipeline.database();
    database.execute(
        "select pipeline.create_fact('shop/main', r.uri, '', 0, 2) from pipeline.request r where number = 2");
    database.execute(
        "select pipeline.update_queue('shop/main', 2, r.uri, q.version, q.version + 1)"
        "  from pipeline.request r, pipeline.queue q where r.number = 2");
    pipeline.finish();
    EXPECT_EQ(pipeline.bookmark(), "2");
    EXPECT_EQ(pipeline.count("validation_fact"), "2");
    EXPECT_EQ(database.value(
                  "select string_agg(request || ' ' || is_last_green, ', ' order by request) from pipeline.history"),
              "1 false, 2 true");
}

TEST(PipelineStagesTest, a_history_rewrite_is_built_in_full) {
    PipelineStages pipeline;
    const auto root = pipeline.remote().head();
    pipeline.push({{"a", "1"}});
    pipeline.validate();
    pipeline.remote().rewind_to(root);
    const auto request = pipeline.push({{"a", "other"}});
    pipeline.validate();
    EXPECT_EQ(pipeline.state(request), "succeeded full");
    EXPECT_EQ(pipeline.bookmark(), "2");
}

TEST(PipelineStagesTest, an_unknown_base_is_built_in_full) {
    PipelineStages pipeline;
    const auto root = pipeline.remote().head();
    pipeline.push({{"a", "1"}});
    pipeline.validate();
    pipeline.remote().rewind_to(root);
    const auto request = pipeline.push({{"a", "other"}});
    std::filesystem::remove_all(pipeline.cache() / "mirrors");  // another host's worker
    pipeline.validate();
    EXPECT_EQ(pipeline.state(request), "succeeded full");
}

TEST(PipelineStagesTest, a_branch_or_remote_that_was_changed_is_built_in_full) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.validate();
    pipeline.remote().git({"branch", "next"});
    pipeline.database().execute(R"(select pipeline.configure_queue('shop/main', '{"ref": "next"}'))");
    pipeline.database().execute("select pipeline.poll('shop/main')");
    EXPECT_EQ(pipeline.step("pipeline.ingest"), "completed");
    pipeline.validate();
    EXPECT_EQ(pipeline.state(2), "succeeded full");
    const auto moved = pipeline.remote().path() + ".moved.git";
    std::filesystem::copy(pipeline.remote().path(), moved, std::filesystem::copy_options::recursive);
    pipeline.database().execute("select pipeline.configure_queue('shop/main', jsonb_build_object('remote', $1::text))",
                                {moved});
    pipeline.database().execute("select pipeline.poll('shop/main')");
    EXPECT_EQ(pipeline.step("pipeline.ingest"), "completed");
    pipeline.validate();
    EXPECT_EQ(pipeline.state(3), "succeeded full");
    EXPECT_EQ(pipeline.bookmark(), "3");
}

TEST(PipelineStagesTest, a_remote_out_of_reach_is_tried_again_and_locks_nothing) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.validate();
    const auto request = pipeline.push({{"a", "2"}});
    const std::string away = pipeline.remote().path() + ".away";
    std::filesystem::rename(pipeline.remote().path(), away);
    EXPECT_THAT(pipeline.step("pipeline.process"), StartsWith("failed: git fetch exited with 128"));
    EXPECT_EQ(pipeline.state(request), "accepted");
    std::filesystem::rename(away, pipeline.remote().path());
    pipeline.finish();
    EXPECT_EQ(pipeline.state(request), "succeeded incremental_since_green");
}

TEST(PipelineStagesTest, a_uri_that_is_not_of_this_repository_is_never_green) {
    PipelineStages pipeline;
    const auto first = pipeline.ingest("svn://elsewhere/7");
    pipeline.finish();
    EXPECT_EQ(pipeline.state(first), "failed full") << "it could not be checked out";
    EXPECT_THAT(pipeline.database().value("select reason from pipeline.builds"),
                HasSubstr("is not a commit of git://localhost"));
    pipeline.push({{"a", "1"}});
    pipeline.finish();
    const auto later = pipeline.ingest("svn://elsewhere/8");
    EXPECT_THAT(pipeline.step("pipeline.process"), StartsWith("discarded: svn://elsewhere/8 is not a commit of"))
        << "nor compared with what is green";
    EXPECT_EQ(pipeline.state(later), "failed");
    EXPECT_EQ(pipeline.verdict(later), "");
}

TEST(PipelineStagesTest, a_verdict_tells_nothing_of_a_head_that_a_rewrite_has_dropped) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.finish();
    pipeline.push({{"a", "2"}});
    const auto kept = pipeline.remote().head();
    pipeline.push({{"a", "3"}});
    const auto dropped = pipeline.remote().head();
    pipeline.remote().rewind_to(kept);
    pipeline.push({{"a", "4"}});
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "succeeded superseded superseded succeeded");
    EXPECT_EQ(pipeline.state(4), "succeeded incremental_since_green");
    const auto covered = [&](const std::string& commit) {
        return pipeline.database().value(
            "select verdict || ' ' || coalesce(covered_by, '')"
            "  from pipeline.coverage('shop/main', $1)",
            {pipeline.uri(commit)});
    };
    EXPECT_EQ(covered(kept), "green " + pipeline.uri(pipeline.remote().head()));
    EXPECT_EQ(covered(dropped), "none ");
}

TEST(PipelineStagesTest, a_build_is_watched_by_snoozing) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.step("pipeline.process");
    pipeline.step("pipeline.build");
    EXPECT_EQ(pipeline.step("pipeline.buildsignal"), "snoozed");
    EXPECT_EQ(pipeline.database().value("select run_at - millrace.now() between '3 s' and '5 s' and attempt = 0"
                                        "  from millrace.jobs where kind = 'pipeline.buildsignal'"),
              "t");
    pipeline.database().execute("update pipeline.command_run set status = 'running'");
    pipeline.database().execute("select millrace.retry(id) from millrace.jobs where state = 'scheduled'");
    EXPECT_EQ(pipeline.step("pipeline.buildsignal"), "snoozed");
    EXPECT_EQ(pipeline.database().value("select run_at - millrace.now() between '1 s' and '2 s' and attempt = 0"
                                        "  from millrace.jobs where kind = 'pipeline.buildsignal'"),
              "t")
        << "more often while it runs";
    pipeline.finish();
    EXPECT_EQ(pipeline.state(1), "succeeded full");
}

TEST(PipelineStagesTest, a_runner_that_never_ends_is_called_off_after_max_validation_and_counts_as_failed) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.step("pipeline.process");
    pipeline.step("pipeline.build");
    pipeline.database().advance_clock(std::chrono::hours{2} + std::chrono::seconds{1});
    EXPECT_EQ(pipeline.step("pipeline.buildsignal"), "completed");
    EXPECT_EQ(pipeline.state(1), "failed full");
    EXPECT_EQ(pipeline.step("pipeline.run"), "completed");  // finds that it was called off
    pipeline.finish();
    EXPECT_EQ(pipeline.degree(pipeline.remote().head()), "1");
    EXPECT_EQ(pipeline.database().value("select reason from pipeline.builds"), "took longer than 2h");
    EXPECT_EQ(pipeline.database().value("select status from pipeline.command_run"), "cancelled");
}

TEST(PipelineStagesTest, a_runner_that_flips_its_terminal_answer_is_believed_once) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build", "run", "buildsignal"});
    pipeline.database().execute("update pipeline.command_run set status = 'failed'");  // a runner that flips its answer
    pipeline.database().enqueue("pipeline", "pipeline.buildsignal",
                                R"({"queue": "shop/main", "request": 1, "build": "command/1"})");
    pipeline.finish();
    EXPECT_EQ(pipeline.state(1), "succeeded full");
    EXPECT_EQ(pipeline.degree(pipeline.remote().head()), "0");
}

TEST(PipelineStagesTest, a_verdict_of_another_request_is_an_error_that_nobody_overlooks) {
    PipelineStages pipeline{"max_concurrent => 2"};
    pipeline.push({{"a", "1"}});
    pipeline.step("pipeline.process");
    pipeline.push({{"a", "2"}});
    pipeline.database().execute(
        "select pipeline.create_fact('shop/main', r.uri, '', 1, 2) from pipeline.request r where number = 1");
    pipeline.steps({"build", "run", "buildsignal"});
    EXPECT_THAT(pipeline.step("pipeline.record"), HasSubstr("has a verdict of request 2 already"));
    EXPECT_EQ(pipeline.bookmark(), "0");
}

TEST(PipelineStagesTest, bad_payloads_and_unknown_entities_are_dead_letters) {
    PipelineStages pipeline;
    auto& database = pipeline.database();
    const auto outcome_of = [&](const std::string& kind, const std::string& payload) {
        database.enqueue("pipeline", kind, payload);
        return pipeline.step(kind);
    };
    EXPECT_EQ(outcome_of("pipeline.process", R"({"queue": "shop/main"})"),
              "discarded: payload key \"request\": is missing");
    EXPECT_EQ(outcome_of("pipeline.process", R"({"queue": "shop/main", "request": "1"})"),
              "discarded: payload key \"request\": must be a whole number from 1 on");
    EXPECT_EQ(outcome_of("pipeline.ingest", R"({"queue": "nosuch"})"),
              "discarded: pipeline queue nosuch does not exist");
    EXPECT_EQ(outcome_of("pipeline.build", R"({"queue": "shop/main", "request": 9})"),
              "discarded: request 9 of shop/main does not exist");
    EXPECT_EQ(outcome_of("pipeline.run", R"({"queue": "shop/main", "build": "command/9"})"),
              "discarded: build command/9 of shop/main does not exist");
    EXPECT_THAT(outcome_of("pipeline.ingest", R"({"queue": "shop/main", "uri": "svn://elsewhere/7"})"),
                HasSubstr("is not a commit of"));
}

// Every stage is run, loses its transaction, is run again, and once more because a second job asks for the same.
class Redelivery : public ::testing::TestWithParam<const char*> {};

TEST_P(Redelivery, of_a_stage_changes_nothing) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    for (const auto* stage : stages) {
        const auto kind = std::string{"pipeline."} + stage;
        const bool is_tried = std::string{stage} == GetParam();
        if (is_tried) pipeline.lose(kind);
        ASSERT_EQ(pipeline.step(kind), "completed") << stage;
        if (!is_tried) continue;
        pipeline.database().enqueue(
            "pipeline", kind,
            pipeline.database().value("select payload from millrace.jobs where kind = $1 limit 1", {kind}));
        ASSERT_EQ(pipeline.step(kind), "completed") << stage << ", again";
    }
    pipeline.finish();
    EXPECT_EQ(pipeline.state(1), "succeeded full");
    EXPECT_EQ(pipeline.count("build") + pipeline.count("command_run") + pipeline.count("validation_fact"), "111");
    EXPECT_EQ(pipeline.database().value("select count(*) from millrace.jobs where kind = 'pipeline.run'"),
              std::string{GetParam()} == "run" ? "2" : "1");
    EXPECT_EQ(pipeline.degree(pipeline.remote().head()), "0");
    EXPECT_EQ(pipeline.bookmark(), "1");
}

INSTANTIATE_TEST_SUITE_P(Pipeline, Redelivery, ::testing::ValuesIn(stages),
                         [](const auto& instance) { return std::string{instance.param}; });

}  // namespace
}  // namespace millrace::testing
