// The edges of the pipeline: heads that come again, gates that close, runners that misbehave, builds that are repeated,
// and what follows from a verdict.

#include "storage/pipeline_tables.hpp"
#include "support/pipeline_stages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <tuple>

namespace millrace::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(PipelineEdgesTest, a_head_equal_to_the_last_green_is_not_built_again) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.finish();
    EXPECT_EQ(pipeline.ingest(pipeline.uri(pipeline.remote().head())), 1);
    EXPECT_EQ(pipeline.waiting(), "");
    EXPECT_EQ(pipeline.bookmark(), "1");
}

TEST(PipelineEdgesTest, a_re_ingest_of_a_superseded_uri_enqueues_nothing) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    const auto superseded = pipeline.uri(pipeline.remote().head());
    pipeline.push({{"a", "2"}});
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "superseded succeeded");
    EXPECT_EQ(pipeline.ingest(superseded), 1);
    EXPECT_EQ(pipeline.waiting(), "");
    EXPECT_EQ(pipeline.state(1), "superseded");
}

TEST(PipelineEdgesTest, heads_a_to_f_are_coalesced_into_two_builds_by_one_slot) {
    PipelineStages pipeline;
    for (const auto* text : {"a", "b", "c", "d", "e", "f"}) {
        pipeline.push({{"text", text}});
        pipeline.steps({"process"});
    }
    EXPECT_EQ(pipeline.states(), "processing superseded superseded superseded superseded accepted");
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "succeeded superseded superseded superseded superseded succeeded");
    EXPECT_EQ(pipeline.count("build"), "2");
}

TEST(PipelineEdgesTest, heads_a_to_f_are_coalesced_into_three_builds_by_two_slots) {
    PipelineStages pipeline{"max_concurrent => 2"};
    for (const auto* text : {"a", "b", "c", "d", "e", "f"}) {
        pipeline.push({{"text", text}});
        pipeline.steps({"process"});
    }
    EXPECT_EQ(pipeline.states(), "processing processing superseded superseded superseded accepted");
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "succeeded succeeded superseded superseded superseded succeeded");
    EXPECT_EQ(pipeline.bookmark(), "6");
}

TEST(PipelineEdgesTest, a_closed_gate_is_reopened_by_cancellation) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build"});
    pipeline.push({{"a", "2"}});
    pipeline.steps({"process"});
    pipeline.database().execute("select pipeline.cancel_command('shop/main', 'command/1')");
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "cancelled succeeded");
    EXPECT_EQ(pipeline.verdict(1), "");  // nothing is known of it
}

TEST(PipelineEdgesTest, a_closed_gate_is_reopened_by_a_dead_letter) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process"});
    pipeline.push({{"a", "2"}});
    pipeline.steps({"process"});
    pipeline.database().enqueue("pipeline", "pipeline.buildsignal",
                                R"({"queue": "shop/main", "request": 1, "build": "nosuch"})");
    EXPECT_THAT(pipeline.step("pipeline.buildsignal"), StartsWith("discarded: "));
    EXPECT_EQ(pipeline.states(), "failed accepted");
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "failed succeeded");
}

TEST(PipelineEdgesTest, a_closed_gate_is_reopened_by_a_stage_that_is_cancelled_and_its_build_is_called_off) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process"});
    pipeline.push({{"a", "2"}});
    pipeline.steps({"process", "build"});
    pipeline.database().execute(
        "select millrace.cancel(id, 'not this one') from millrace.jobs"
        " where kind = 'pipeline.buildsignal' and state = 'available'");
    EXPECT_EQ(pipeline.states(), "failed accepted");
    EXPECT_EQ(pipeline.waiting(), "calloff process");  // the command's own job was taken back
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "failed succeeded");
    EXPECT_EQ(pipeline.verdict(1), "");
    EXPECT_EQ(pipeline.database().value("select string_agg(status, ' ' order by request) from pipeline.builds"),
              "cancelled succeeded");
}

TEST(PipelineEdgesTest, the_end_of_a_build_is_written_when_its_pipeline_queue_is_locked_and_not_before) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build"});
    pipeline.database().advance_clock(std::chrono::hours{3});
    const auto session = pipeline.database().sessions().open("other");
    storage::Transaction other{*session};
    storage::pipeline::StoreCounts counts;
    storage::pipeline::Tables tables{other, counts};
    std::ignore = tables.stores().queues.lock("shop/main");
    auto outcome = std::async(std::launch::async, [&] { return pipeline.step("pipeline.buildsignal"); });
    EXPECT_TRUE(pipeline.database().becomes(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'", "1"));
    EXPECT_TRUE(tables.stores().command_runs.cancel({"shop/main", "command/1"})) << "neither waits for the other";
    other.commit();
    EXPECT_EQ(outcome.get(), "completed");
    EXPECT_EQ(pipeline.states(), "failed");
}

TEST(PipelineEdgesTest, a_record_that_is_replayed_after_its_request_has_failed_closed_makes_nothing_green) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build", "run", "buildsignal"});
    pipeline.database().execute("select millrace.cancel(id) from millrace.jobs where kind = 'pipeline.record'");
    EXPECT_EQ(pipeline.states(), "failed");
    pipeline.database().enqueue("pipeline", "pipeline.record",
                                R"({"queue": "shop/main", "request": 1, "build": "command/1"})");
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "failed");
    EXPECT_EQ(pipeline.verdict(1), "");
    EXPECT_EQ(pipeline.bookmark(), "0");
}

TEST(PipelineEdgesTest, a_record_that_is_replayed_after_its_request_has_failed_closed_makes_nothing_broken) {
    PipelineStages pipeline;
    pipeline.push({{"broken", ""}});
    pipeline.steps({"process", "build", "run", "buildsignal"});
    pipeline.database().execute("select millrace.cancel(id) from millrace.jobs where kind = 'pipeline.record'");
    pipeline.database().enqueue("pipeline", "pipeline.record",
                                R"({"queue": "shop/main", "request": 1, "build": "command/1"})");
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "failed");
    EXPECT_EQ(pipeline.verdict(1), "");
    EXPECT_EQ(pipeline.count("event"), "0");
}

TEST(PipelineEdgesTest, a_build_that_is_replayed_after_its_request_has_failed_closed_triggers_nothing) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process"});
    pipeline.database().execute("select millrace.cancel(id) from millrace.jobs where kind = 'pipeline.build'");
    pipeline.database().enqueue("pipeline", "pipeline.build", R"({"queue": "shop/main", "request": 1, "run": 1})");
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "failed");
    EXPECT_EQ(pipeline.count("build") + pipeline.count("command_run"), "00");
}

TEST(PipelineEdgesTest, an_analysis_that_is_replayed_after_its_request_has_failed_closed_begins_no_project) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build", "run"});
    pipeline.database().execute(
        "select pipeline.set_target_graph('shop/main', 'command/1',"
        " '{\"targets\": [{\"name\": \"//a\", \"status\": \"passed\"}]}')");
    pipeline.steps({"buildsignal", "record"});
    pipeline.database().execute("select millrace.cancel(id) from millrace.jobs where kind = 'pipeline.analyze'");
    pipeline.database().enqueue("pipeline", "pipeline.analyze",
                                R"({"queue": "shop/main", "request": 1, "build": "command/1"})");
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "failed");
    EXPECT_EQ(pipeline.count("request_project") + pipeline.count("build"), "01");
    pipeline.database().execute("select pipeline.revalidate('shop/main', uri, 'once more') from pipeline.request");
    pipeline.finish();
    EXPECT_EQ(pipeline.verdict(1, "unmapped"), "green") << "another attempt does";
}

TEST(PipelineEdgesTest, duplicate_builds_for_one_request_are_one) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process"});
    for (int duplicate = 0; duplicate < 2; ++duplicate)
        pipeline.database().enqueue("pipeline", "pipeline.build", R"({"queue": "shop/main", "request": 1, "run": 1})");
    pipeline.finish();
    EXPECT_EQ(pipeline.count("build") + pipeline.count("command_run") + pipeline.count("validation_fact"), "111");
}

TEST(PipelineEdgesTest, a_runner_that_forgets_the_build_fails_the_request) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build"});
    pipeline.database().execute("delete from pipeline.command_run");
    EXPECT_THAT(pipeline.step("pipeline.buildsignal"), HasSubstr("build command/1 of shop/main does not exist"));
    EXPECT_EQ(pipeline.states(), "failed");
    EXPECT_THAT(pipeline.database().value("select reason from pipeline.requests"), StartsWith("dead letter: "));
    EXPECT_EQ(pipeline.verdict(1), "");
}

TEST(PipelineEdgesTest, a_build_that_fails_and_then_succeeds_is_flaky_and_not_green) {
    PipelineStages pipeline;
    pipeline.configure(R"({"flaky_reruns": 2})");
    pipeline.push({{"broken", ""}});
    pipeline.steps({"process", "build", "run", "buildsignal"});
    EXPECT_EQ(pipeline.state(1), "processing full");
    EXPECT_EQ(pipeline.waiting(), "build");
    pipeline.steps({"build"});
    pipeline.database().execute("update pipeline.command_run set argv = '{true}' where id = 'command/1~2'");
    pipeline.finish();
    EXPECT_EQ(pipeline.verdict(1), "flaky");
    EXPECT_EQ(pipeline.state(1), "failed full");
    EXPECT_EQ(pipeline.bookmark(), "0");
    EXPECT_EQ(pipeline.count("build"), "2");
}

TEST(PipelineEdgesTest, a_build_that_fails_again_and_again_is_broken) {
    PipelineStages pipeline;
    pipeline.configure(R"({"flaky_reruns": 2})");
    pipeline.push({{"broken", ""}});
    pipeline.finish();
    EXPECT_EQ(pipeline.verdict(1), "broken");
    EXPECT_EQ(pipeline.count("build"), "3");
}

TEST(PipelineEdgesTest, a_verdict_that_is_not_believed_is_replaced_by_that_of_another_attempt) {
    PipelineStages pipeline;
    pipeline.push({{"broken", ""}});
    pipeline.finish();
    pipeline.push({{"a", "1"}});
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "failed failed");
    pipeline.database().execute(
        "select pipeline.revalidate('shop/main', uri, 'a full disk') from pipeline.request"
        " where number = 1");
    pipeline.steps({"process", "build"});
    pipeline.database().execute("update pipeline.command_run set argv = '{true}' where id = 'command/1~2'");
    pipeline.finish();
    EXPECT_EQ(pipeline.states(), "succeeded failed");
    EXPECT_EQ(pipeline.verdict(1), "green");
    EXPECT_EQ(pipeline.bookmark(), "1");
    EXPECT_EQ(pipeline.database().value("select count(*) from pipeline.history where request = 1"), "2");
}

TEST(PipelineEdgesTest, the_commit_that_broke_the_branch_is_found_among_those_that_were_superseded) {
    PipelineStages pipeline;
    pipeline.configure(R"({"bisect_budget": 9})");
    pipeline.push({{"a", "1"}});
    pipeline.finish();
    for (const auto* text : {"2", "3", "4"})
        pipeline.push({{"a", text}});
    pipeline.push({{"broken", ""}});
    const auto first_broken = pipeline.uri(pipeline.remote().head());
    for (const auto* text : {"5", "6", "7"})
        pipeline.push({{"a", text}});
    pipeline.finish();
    EXPECT_EQ(pipeline.database().value("select culprit_uri from pipeline.bisect"), first_broken);
    EXPECT_EQ(pipeline.database().value("select builds from pipeline.bisect"), "3");  // of 7 suspects
    EXPECT_EQ(pipeline.verdict(5), "");                                               // no verdict comes of a search
    EXPECT_EQ(pipeline.database().value("select priority from millrace.jobs where kind = 'pipeline.run'"
                                        " order by id desc limit 1"),
              "9");
}

TEST(PipelineEdgesTest, a_search_blames_no_commit_whose_build_it_could_not_wait_for) {
    PipelineStages pipeline;
    pipeline.configure(R"({"bisect_budget": 9})");
    pipeline.push({{"a", "1"}});
    pipeline.finish();
    for (const auto* text : {"2", "3"})
        pipeline.push({{"a", text}});
    pipeline.push({{"broken", ""}});
    pipeline.steps({"process", "process", "process", "build", "run", "buildsignal", "record", "bisect", "build"});
    pipeline.database().execute(
        "update pipeline.build set created_at = created_at - interval '30 days' where uri <> ''");
    pipeline.steps({"buildsignal", "bisect"});
    EXPECT_EQ(pipeline.database().value("select status from pipeline.build where uri <> ''"), "cancelled");
    EXPECT_EQ(pipeline.database().value("select state from pipeline.bisect"), "given up");
}

TEST(PipelineEdgesTest, the_projects_that_a_head_touches_are_built_and_roll_up) {
    PipelineStages pipeline;
    pipeline.configure(R"({"projects": [{"name": "web", "rules": [{"target": "//web/**"}]}]})");
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build", "run"});
    pipeline.database().execute(
        "select pipeline.set_target_graph('shop/main', 'command/1', '{\"targets\": ["
        "{\"name\": \"//web/app\", \"status\": \"passed\"}, {\"name\": \"//other\", \"status\": \"failed\"}]}')");
    pipeline.steps({"buildsignal", "record", "analyze", "build", "build"});
    pipeline.database().execute("update pipeline.command_run set argv = '{false}' where project = 'unmapped'");
    pipeline.finish();
    EXPECT_EQ(pipeline.verdict(1, "web"), "green");
    EXPECT_EQ(pipeline.verdict(1, "unmapped"), "broken");
    EXPECT_EQ(pipeline.database().value("select roll_up from pipeline.requests"), "0.50000");
    EXPECT_EQ(pipeline.states(), "succeeded");
}

TEST(PipelineEdgesTest, a_project_that_is_not_believed_is_built_again_though_its_commit_is_green) {
    PipelineStages pipeline;
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build", "run"});
    pipeline.database().execute(
        "select pipeline.set_target_graph('shop/main', 'command/1',"
        " '{\"targets\": [{\"name\": \"//a\", \"status\": \"passed\"}]}')");
    pipeline.steps({"buildsignal", "record", "analyze", "build"});
    pipeline.database().execute("update pipeline.command_run set argv = '{false}' where project = 'unmapped'");
    pipeline.finish();
    EXPECT_EQ(pipeline.verdict(1, "unmapped"), "broken");
    for (const auto* attempt : {"2", "3"}) {
        pipeline.database().execute("update pipeline.validation_fact set degree = 1 where project = 'unmapped'");
        EXPECT_EQ(pipeline.database().value(
                      "select pipeline.revalidate('shop/main', uri, 'a full disk') from pipeline.request"),
                  attempt);
        pipeline.finish();
        EXPECT_EQ(pipeline.verdict(1, "unmapped"), "green");
        EXPECT_EQ(pipeline.database().value("select roll_up from pipeline.requests"), "0.00000");
    }
    EXPECT_EQ(pipeline.bookmark(), "1");
}

TEST(PipelineEdgesTest, a_project_whose_build_is_a_dead_letter_counts_as_broken) {
    PipelineStages pipeline;
    pipeline.configure(R"({"projects": [{"name": "web", "rules": [{"target": "//web/**"}]}]})");
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build", "run"});
    pipeline.database().execute(
        "select pipeline.set_target_graph('shop/main', 'command/1',"
        " '{\"targets\": [{\"name\": \"//web/app\", \"status\": \"passed\"}]}')");
    pipeline.steps({"buildsignal", "record", "analyze", "build"});
    pipeline.database().execute("delete from pipeline.command_run where project = 'web'");
    EXPECT_THAT(pipeline.step("pipeline.buildsignal"), StartsWith("discarded: "));
    EXPECT_EQ(pipeline.database().value("select concat_ws(' ', state, roll_up) from pipeline.requests"),
              "succeeded 1.00000");
}

TEST(PipelineEdgesTest, the_bookmark_holder_re_promotes_after_a_crash) {
    PipelineStages pipeline;
    pipeline.configure(R"({"promotion_ref": "verified"})");
    pipeline.push({{"a", "1"}});
    const auto green = pipeline.remote().head();
    pipeline.steps({"process", "build", "run", "buildsignal", "record"});
    pipeline.lose("pipeline.promote");  // which has moved the branch, and nobody knows
    pipeline.steps({"promote"});
    EXPECT_THAT(pipeline.remote().git({"rev-parse", "verified"}), StartsWith(green));
    EXPECT_EQ(
        pipeline.database().value("select result ->> 'promotion' from millrace.jobs where kind = 'pipeline.promote'"),
        "was_there");
    EXPECT_EQ(pipeline.database().value("select promoted_uri from pipeline.queues"), pipeline.uri(green));
}

TEST(PipelineEdgesTest, a_promotion_of_a_vanished_commit_is_counted_and_skipped) {
    PipelineStages pipeline;
    pipeline.configure(R"({"promotion_ref": "verified"})");
    const auto root = pipeline.remote().head();
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build", "run", "buildsignal", "record"});
    pipeline.remote().rewind_to(root);
    pipeline.remote().commit({{"a", "other"}});
    pipeline.steps({"promote"});
    EXPECT_EQ(pipeline.database().value("select concat(promotions_vanished, promoted_uri) from pipeline.queues"), "1");
}

TEST(PipelineEdgesTest, who_wants_to_know_is_told_once_however_often_a_verdict_is_recorded) {
    PipelineStages pipeline;
    pipeline.configure(R"({"sinks": [{"name": "log", "kind": "notify", "channel": "verdicts"}]})");
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build", "run", "buildsignal"});
    pipeline.lose("pipeline.record");
    pipeline.steps({"record"});
    pipeline.database().enqueue("pipeline", "pipeline.record",
                                R"({"queue": "shop/main", "request": 1, "build": "command/1"})");
    pipeline.steps({"record", "tell"});
    EXPECT_EQ(pipeline.step("pipeline.tell"), "none");
}

}  // namespace
}  // namespace millrace::testing
