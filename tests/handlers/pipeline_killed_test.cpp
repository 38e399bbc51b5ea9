// A worker that dies in the midst of a stage: each of its statements is carried out and its answer is never heard, up
// to the commit itself. Another worker takes the job, and what comes of it is what would have come of it anyway.

#include "support/answer_thief.hpp"
#include "support/pipeline_stages.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace millrace::testing {
namespace {

struct Stage {
    const char* kind;
    std::vector<std::string> statements;  // in their order

    friend std::ostream& operator<<(std::ostream& out, const Stage& stage) { return out << stage.kind; }
};

const std::vector<Stage> stages{
    {"ingest", {"pipeline.get_queue", "pipeline.ingest"}},
    {"process",
     {"pipeline.get_queue", "pipeline.get_request", "pipeline.count_processing", "pipeline.lock_queue",
      "pipeline.supersede_before", "pipeline.update_request"}},
    {"build",
     {"pipeline.lock_queue", "pipeline.get_request", "pipeline.build_of", "pipeline.trigger_command",
      "pipeline.create_build"}},
    {"run", {"pipeline.get_queue", "pipeline.start_command", "pipeline.finish_command"}},
    {"buildsignal",
     {"pipeline.get_build", "pipeline.get_queue", "pipeline.command_status", "pipeline.lock_queue",
      "pipeline.update_build", "pipeline.get_request", "pipeline.update_request", "pipeline.latest_accepted"}},
    {"record",
     {"pipeline.get_build", "pipeline.lock_queue", "pipeline.get_request", "pipeline.create_fact",
      "pipeline.update_queue", "pipeline.announce"}},
    {"analyze", {"pipeline.get_build", "pipeline.analyze_request"}},
};

class WorkerKilled : public ::testing::TestWithParam<Stage> {};

TEST_P(WorkerKilled, after_any_statement_of_a_stage_another_finishes_it) {
    PipelineStages pipeline;
    AnswerThief thief{pipeline.database()};
    pipeline.database().execute("select pipeline.poll('shop/main')");
    for (const auto& stage : stages) {
        const auto kind = std::string{"pipeline."} + stage.kind;
        if (stage.kind == GetParam().kind) {
            auto statements = stage.statements;
            statements.insert(statements.end(), {"millrace.settle_many", "COMMIT"});
            for (const auto& statement : statements) {
                thief.steal(statement);
                ASSERT_TRUE(pipeline.breaks(kind, thief.sessions())) << statement;
            }
            EXPECT_EQ(thief.stolen(), static_cast<int>(statements.size()));
        }
        ASSERT_EQ(pipeline.step(kind), "completed") << stage.kind;
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
                         [](const auto& instance) { return std::string{instance.param.kind}; });

// Stages that are not on the way of a first green head, each after what leads to it.
struct Branch {
    const char* name;
    void (*lead)(PipelineStages&);
    const char* kind;
    std::vector<std::string> statements;

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
     "process",
     {"pipeline.get_queue", "pipeline.get_request", "pipeline.count_processing", "pipeline.lock_queue",
      "pipeline.supersede_before", "pipeline.update_request"}},
    {"buildsignal_of_what_may_be_flaky",
     [](PipelineStages& pipeline) {
         pipeline.configure(R"({"flaky_reruns": 1})");
         pipeline.push({{"broken", ""}});
         pipeline.steps({"process", "build", "run"});
     },
     "buildsignal",
     {"pipeline.get_build", "pipeline.get_queue", "pipeline.command_status", "pipeline.lock_queue",
      "pipeline.update_build", "pipeline.rerun_build"}},
    {"build_of_a_project",
     up_to_the_build_of_a_project,
     "build",
     {"pipeline.lock_queue", "pipeline.get_request", "pipeline.build_of", "pipeline.trigger_command",
      "pipeline.create_build"}},
    {"buildsignal_of_a_project",
     [](PipelineStages& pipeline) {
         up_to_the_build_of_a_project(pipeline);
         pipeline.steps({"build", "run"});
     },
     "buildsignal",
     {"pipeline.get_build", "pipeline.get_queue", "pipeline.command_status", "pipeline.lock_queue",
      "pipeline.update_build"}},
    {"record_of_a_project",
     [](PipelineStages& pipeline) {
         up_to_the_build_of_a_project(pipeline);
         pipeline.steps({"build", "run", "buildsignal"});
     },
     "record",
     {"pipeline.get_build", "pipeline.lock_queue", "pipeline.get_request", "pipeline.create_fact",
      "pipeline.announce"}},
    {"promote",
     [](PipelineStages& pipeline) {
         pipeline.configure(R"({"promotion_ref": "verified"})");
         pipeline.push({{"a", "1"}});
         pipeline.steps({"process", "build", "run", "buildsignal", "record"});
     },
     "promote",
     {"pipeline.get_queue", "pipeline.note_promotion"}},
    {"tell",
     [](PipelineStages& pipeline) {
         pipeline.configure(R"({"sinks": [{"name": "log", "kind": "notify", "channel": "verdicts"}]})");
         pipeline.push({{"a", "1"}});
         pipeline.steps({"process", "build", "run", "buildsignal", "record"});
     },
     "tell",
     {"pipeline.tell"}},
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
     "bisect",
     {"pipeline.bisect_step"}},
    {"calloff",
     [](PipelineStages& pipeline) {
         pipeline.push({{"a", "1"}});
         pipeline.steps({"process", "build"});
         pipeline.database().execute(
             "select millrace.cancel(id) from millrace.jobs where kind = 'pipeline.buildsignal'");
     },
     "calloff",
     {"pipeline.get_build", "pipeline.get_queue", "pipeline.cancel_command", "pipeline.lock_queue",
      "pipeline.update_build"}},
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
    AnswerThief thief{pipeline.database()};
    auto statements = GetParam().statements;
    statements.insert(statements.end(), {"millrace.settle_many", "COMMIT"});
    for (const auto& statement : statements) {
        thief.steal(statement);
        ASSERT_TRUE(pipeline.breaks(std::string{"pipeline."} + GetParam().kind, thief.sessions())) << statement;
    }
    EXPECT_EQ(outcome(pipeline), outcome(untroubled));
}

INSTANTIATE_TEST_SUITE_P(Pipeline, WorkerKilledInABranch, ::testing::ValuesIn(branches),
                         [](const auto& instance) { return std::string{instance.param.name}; });

}  // namespace
}  // namespace millrace::testing
