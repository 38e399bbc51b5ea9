// A worker that dies in the midst of a stage: each of its statements is carried out and its answer is never heard, up
// to the commit itself. Another worker takes the job, and what comes of it is what would have come of it anyway.

#include "support/answer_thief.hpp"
#include "support/pipeline_stages.hpp"

#include <gtest/gtest.h>

#include <ostream>
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

}  // namespace
}  // namespace millrace::testing
