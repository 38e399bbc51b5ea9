// A worker that dies in the midst of a stage: each of its statements is carried out and its answer is never heard, up
// to the commit itself. Another worker takes the job, and what comes of it is what would have come of it anyway.

#include "support/answer_thief.hpp"
#include "support/pipeline_stages.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

namespace millrace::testing {
namespace {

const std::vector<const char*> stages{"ingest", "process", "build", "run", "buildsignal", "record", "analyze"};

// What a stage asks of the pipeline's tables when nothing goes wrong, and what ends it. A log is written by a thread of
// its own, and whether all of it is said before the end is a matter of time.
std::vector<std::string> statements_of(PipelineStages& pipeline, const std::string& kind) {
    AnswerThief listener{pipeline.database()};
    EXPECT_FALSE(pipeline.breaks(kind, listener.sessions()));
    auto statements = listener.heard("pipeline");
    EXPECT_FALSE(statements.empty());
    statements.erase(std::remove(statements.begin(), statements.end(), "pipeline.append_command_log("),
                     statements.end());
    statements.insert(statements.end(), {"millrace.settle_many", "COMMIT"});
    return statements;
}

// Loses the answer to each of them, one after the other.
void kill_at_each(PipelineStages& pipeline, const std::string& kind, const std::vector<std::string>& statements) {
    AnswerThief thief{pipeline.database()};
    for (const auto& statement : statements) {
        thief.steal(statement);
        ASSERT_TRUE(pipeline.breaks(kind, thief.sessions())) << statement;
    }
    EXPECT_EQ(thief.stolen(), static_cast<int>(statements.size()));
}

class WorkerKilled : public ::testing::TestWithParam<const char*> {};

TEST_P(WorkerKilled, after_any_statement_of_a_stage_another_finishes_it) {
    PipelineStages untroubled;
    PipelineStages pipeline;
    for (auto* each : {&untroubled, &pipeline})
        each->database().execute("select pipeline.poll('shop/main')");
    for (const std::string stage : stages) {
        const auto kind = "pipeline." + stage;
        if (stage == GetParam()) kill_at_each(pipeline, kind, statements_of(untroubled, kind));
        if (HasFatalFailure()) return;
        ASSERT_EQ(pipeline.step(kind), "completed") << stage;
        untroubled.step(kind);
    }
    EXPECT_EQ(pipeline.waiting(), "");
    EXPECT_EQ(pipeline.state(1), "succeeded full");
    EXPECT_EQ(pipeline.count("request") + pipeline.count("build") + pipeline.count("command_run") +
                  pipeline.count("validation_fact") + pipeline.count("event"),
              "11111");
    EXPECT_EQ(pipeline.database().value("select count(*) - count(distinct kind) from millrace.jobs"), "0")
        << "one job for each stage";
    EXPECT_EQ(pipeline.degree(pipeline.remote().head()), "0");
    EXPECT_EQ(pipeline.bookmark(), "1");
}

INSTANTIATE_TEST_SUITE_P(Pipeline, WorkerKilled, ::testing::ValuesIn(stages),
                         [](const auto& instance) { return std::string{instance.param}; });

// Stages that are not on the way of a first green head, each after what leads to it.
struct Branch {
    const char* name;
    void (*lead)(PipelineStages&);
    const char* kind;

    friend std::ostream& operator<<(std::ostream& out, const Branch& branch) { return out << branch.name; }
};

void up_to_the_build_of_a_project(PipelineStages& pipeline) {
    pipeline.push({{"a", "1"}});
    pipeline.steps({"process", "build", "run"});
    pipeline.database().execute(
        R"(select pipeline.set_target_graph('shop/main', 'command/1', '{"targets": [{"name": "a", "status": "passed"}]}'))");
    pipeline.steps({"buildsignal", "record", "analyze"});
}

const std::vector<Branch> branches{
    {"process_with_a_last_green",
     [](PipelineStages& pipeline) {
         pipeline.push({{"a", "1"}});
         pipeline.finish();
         pipeline.push({{"a", "2"}});
     },
     "process"},
    {"process_of_a_head_that_holds_another",
     [](PipelineStages& pipeline) {
         pipeline.push({{"a", "1"}});
         pipeline.finish();
         pipeline.push({{"a", "2"}});
         pipeline.push({{"a", "3"}});
         pipeline.steps({"process"});
     },
     "process"},
    {"buildsignal_of_what_took_too_long",
     [](PipelineStages& pipeline) {
         pipeline.push({{"a", "1"}});
         pipeline.steps({"process", "build"});
         pipeline.database().execute("update pipeline.build set created_at = created_at - interval '30 days'");
     },
     "buildsignal"},
    {"buildsignal_with_a_target_graph",
     [](PipelineStages& pipeline) {
         pipeline.push({{"a", "1"}});
         pipeline.steps({"process", "build", "run"});
         pipeline.database().execute(R"(update pipeline.command_run set target_graph = '{"targets": []}')");
     },
     "buildsignal"},
    {"buildsignal_of_what_may_be_flaky",
     [](PipelineStages& pipeline) {
         pipeline.configure(R"({"flaky_reruns": 1})");
         pipeline.push({{"broken", ""}});
         pipeline.steps({"process", "build", "run"});
     },
     "buildsignal"},
    {"build_of_a_project", up_to_the_build_of_a_project, "build"},
    {"buildsignal_of_a_project",
     [](PipelineStages& pipeline) {
         up_to_the_build_of_a_project(pipeline);
         pipeline.steps({"build", "run"});
     },
     "buildsignal"},
    {"record_of_a_project",
     [](PipelineStages& pipeline) {
         up_to_the_build_of_a_project(pipeline);
         pipeline.steps({"build", "run", "buildsignal"});
     },
     "record"},
    {"record_of_a_project_that_was_called_off",
     [](PipelineStages& pipeline) {
         up_to_the_build_of_a_project(pipeline);
         pipeline.steps({"build"});
         pipeline.database().execute("select pipeline.cancel_command('shop/main', 'command/1/unmapped')");
         pipeline.steps({"buildsignal"});
     },
     "record"},
    {"record_of_what_was_recorded",
     [](PipelineStages& pipeline) {
         pipeline.push({{"a", "1"}});
         pipeline.steps({"process", "build", "run", "buildsignal", "record"});
         pipeline.database().enqueue("pipeline", "pipeline.record",
                                     R"({"queue": "shop/main", "request": 1, "build": "command/1"})");
     },
     "record"},
    {"promote",
     [](PipelineStages& pipeline) {
         pipeline.configure(R"({"promotion_ref": "verified"})");
         pipeline.push({{"a", "1"}});
         pipeline.steps({"process", "build", "run", "buildsignal", "record"});
     },
     "promote"},
    {"tell",
     [](PipelineStages& pipeline) {
         pipeline.configure(R"({"sinks": [{"name": "log", "kind": "notify", "channel": "verdicts"}]})");
         pipeline.push({{"a", "1"}});
         pipeline.steps({"process", "build", "run", "buildsignal", "record"});
     },
     "tell"},
    {"bisect",
     [](PipelineStages& pipeline) {
         pipeline.configure(R"({"bisect_budget": 5})");
         pipeline.push({{"a", "1"}});
         pipeline.finish();
         for (const auto* text : {"2", "3"})
             pipeline.push({{"a", text}});
         pipeline.push({{"broken", ""}});
         pipeline.steps({"process", "process", "process", "build", "run", "buildsignal", "record"});
     },
     "bisect"},
    {"calloff",
     [](PipelineStages& pipeline) {
         pipeline.push({{"a", "1"}});
         pipeline.steps({"process", "build"});
         pipeline.database().execute(
             "select millrace.cancel(id) from millrace.jobs where kind = 'pipeline.buildsignal'");
     },
     "calloff"},
};

// All that is left when nothing is left to do.
std::string outcome(PipelineStages& pipeline) {
    pipeline.finish();
    return pipeline.database().value(
        "select jsonb_build_array("
        " (select jsonb_agg(jsonb_build_array(number, state, verdict, roll_up, completed_at is null) order by number)"
        "    from pipeline.requests),"
        " (select jsonb_agg(jsonb_build_array(id, status) order by id) from pipeline.builds),"
        " (select jsonb_agg(jsonb_build_array(request, project, verdict) order by request, project)"
        "    from pipeline.history),"
        " (select jsonb_agg(id order by id) from pipeline.event),"
        " (select jsonb_agg(jsonb_build_array(state, builds)) from pipeline.bisect),"
        " (select jsonb_agg(jsonb_build_array(kind, jobs) order by kind)"
        "    from (select kind, count(*) as jobs from millrace.jobs group by kind) k),"
        " (select promoted_uri is null from pipeline.queues))");
}

class WorkerKilledInABranch : public ::testing::TestWithParam<Branch> {};

TEST_P(WorkerKilledInABranch, after_any_statement_leaves_what_would_have_been_left) {
    PipelineStages untroubled;
    GetParam().lead(untroubled);
    PipelineStages pipeline;
    GetParam().lead(pipeline);
    const auto kind = std::string{"pipeline."} + GetParam().kind;
    kill_at_each(pipeline, kind, statements_of(untroubled, kind));
    EXPECT_EQ(outcome(pipeline), outcome(untroubled));
}

INSTANTIATE_TEST_SUITE_P(Pipeline, WorkerKilledInABranch, ::testing::ValuesIn(branches),
                         [](const auto& instance) { return std::string{instance.param.name}; });

}  // namespace
}  // namespace millrace::testing
