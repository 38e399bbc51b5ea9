// The `command` runner: what the command sees, how it ends, and what is left behind. And the whole pipeline in a
// worker.

#include "support/pipeline_stages.hpp"
#include "support/running_worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>

namespace millrace::testing {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class PipelineCommand : public ::testing::Test {
protected:
    // Validates the head with another command.
    void run(const std::string& command_array) {
        pipeline_.database().execute(
            "update pipeline.queue set runner_settings = jsonb_set(runner_settings, '{argv}', to_jsonb(" +
            command_array + "))");
        pipeline_.push({{"a", "1"}});
        pipeline_.finish();
    }
    std::string build(const std::string& column) {
        return pipeline_.database().value("select " + column + " from pipeline.builds");
    }

    PipelineStages pipeline_;
};

TEST_F(PipelineCommand, sees_its_variables_and_the_files_of_the_head_and_nothing_of_the_worker) {
    setenv("PGPASSWORD", "canary", 1);
    run("array['sh', '-c', 'cat a; echo; git log --format=%s -n 1; env | sort']");
    const auto log = build("log_tail");
    const auto head = pipeline_.remote().head();
    EXPECT_THAT(log, HasSubstr("1\ncommit 2\nBASE_SHA=\nBASE_URI=\n"));
    EXPECT_THAT(log, HasSubstr("HEAD_SHA=" + head + "\nHEAD_URI=" + pipeline_.uri(head) + "\n"));
    EXPECT_THAT(log, HasSubstr("\nPROJECT=\n"));
    EXPECT_THAT(log, ::testing::Not(HasSubstr("canary")));
}

TEST_F(PipelineCommand, gets_its_arguments_as_they_are) {
    run("array['printf', '[%s]', 'a b', '$HOME', '`id`']");
    EXPECT_EQ(build("log_tail"), "[a b][$HOME][`id`]");
}

TEST_F(PipelineCommand, that_does_not_exist_is_a_failure_of_the_build) {
    run("array['./build']");
    EXPECT_EQ(build("status || ': ' || reason"), "failed: cannot start ./build: No such file or directory");
}

TEST_F(PipelineCommand, may_be_a_file_of_the_repository) {
    pipeline_.push({{"build", "#!/bin/sh\necho built here\n"}});
    pipeline_.remote().git({"update-index", "--chmod=+x", "build"});
    std::filesystem::permissions(std::filesystem::path{pipeline_.remote().path()} / "build",
                                 std::filesystem::perms::owner_exec, std::filesystem::perm_options::add);
    run("array['./build']");
    EXPECT_EQ(pipeline_.database().value("select log_tail from pipeline.builds where request = 2"), "built here\n");
}

TEST_F(PipelineCommand, that_runs_out_of_time_is_a_failure_and_is_ended) {
    pipeline_.database().execute(
        R"(update pipeline.queue set runner_settings = runner_settings || '{"time_limit": "1 second"}')");
    run("array['sh', '-c', 'echo begun; sleep 60']");
    EXPECT_EQ(build("status || ': ' || reason || ', ' || log_tail"), "failed: sh ran out of time, begun\n");
}

TEST_F(PipelineCommand, keeps_the_end_of_its_log_whatever_it_writes) {
    run(R"(array['sh', '-c', 'seq 1 100000; printf "\377\000 last"'])");
    const auto log = build("log_tail");
    EXPECT_LE(log.size(), 64U * 1024);
    EXPECT_GT(log.size(), 60U * 1024);
    EXPECT_THAT(log, ::testing::EndsWith("100000\n?? last"));
}

TEST_F(PipelineCommand, leaves_no_work_tree_behind_and_removes_those_of_the_dead) {
    const auto abandoned = pipeline_.cache() / "builds" / "1-1";
    std::filesystem::create_directories(abandoned);
    std::ofstream{abandoned.string() + ".lock"} << "";
    run("array['true']");
    EXPECT_TRUE(std::filesystem::is_empty(pipeline_.cache() / "builds"));
}

TEST_F(PipelineCommand, that_is_asked_to_stop_has_no_verdict) {
    pipeline_.database().execute(
        R"(update pipeline.queue set runner_settings = runner_settings || '{"argv": ["sleep", "60"]}')");
    pipeline_.push({{"a", "1"}});
    for (const auto* stage : {"process", "build"})
        pipeline_.step(std::string{"pipeline."} + stage);
    const auto registry = pipeline_.registry();
    auto& handler = *std::get<std::unique_ptr<engine::Handler>>(*registry.find("pipeline.run"));
    core::Job job;
    job.payload = R"({"queue": "shop/main", "build": "command/1"})";
    std::stop_source stop;
    auto outcome = std::async(std::launch::async, [&] { return handler.run(job, stop.get_token()); });
    EXPECT_TRUE(pipeline_.database().becomes("select status from pipeline.command_run", "running"));
    stop.request_stop();
    EXPECT_TRUE(std::holds_alternative<core::Failed>(outcome.get()));
    EXPECT_EQ(pipeline_.database().value("select status from pipeline.command_run"), "running");
    EXPECT_TRUE(std::filesystem::is_empty(pipeline_.cache() / "builds"));
}

TEST(PipelineInAWorker, validates_heads_as_they_come) {
    PipelineStages pipeline{"poll_accepted => '50 ms', poll_running => '50 ms'"};
    auto settings = quick_settings();
    settings.queues = {{.name = "pipeline", .slots = 4}};
    RunningWorker worker{pipeline.database().sessions(), pipeline.registry(), settings};
    auto& database = pipeline.database();
    database.execute("select pipeline.poll('shop/main')");
    ASSERT_TRUE(database.becomes("select count(*) from pipeline.history where degree = 0", "1")) << worker.log().text();
    pipeline.push({{"broken", ""}});
    ASSERT_TRUE(database.becomes("select count(*) from pipeline.history where degree = 1", "1")) << worker.log().text();
    ASSERT_TRUE(database.becomes("select count(*) from millrace.jobs where state <> 'completed'", "0"));
    worker.stop();
    EXPECT_EQ(pipeline.state(1) + ", " + pipeline.state(2), "succeeded full, failed incremental_since_green");
}

}  // namespace
}  // namespace millrace::testing
