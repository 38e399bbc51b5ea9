// The `command` runner: what the command sees, how it ends, and what is left behind. And the whole pipeline in a
// worker.

#include "support/pipeline_stages.hpp"
#include "support/running_worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <csignal>
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
    pipeline_.steps({"process", "build"});
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

// What limits a command.

TEST_F(PipelineCommand, that_takes_too_much_memory_is_a_failure_and_is_ended) {
    pipeline_.database().execute("select pipeline.limit_command('shop/main', memory_limit => 64 * 1024 * 1024)");
    run("array['sh', '-c', 'head -c 1000000000 /dev/zero | tail; sleep 60']");
    EXPECT_EQ(build("status || ': ' || reason"), "failed: sh took more memory than it may");
}

TEST_F(PipelineCommand, may_reserve_memory_that_it_does_not_use) {
    pipeline_.database().execute("select pipeline.limit_command('shop/main', memory_limit => 64 * 1024 * 1024)");
    run(R"(array['perl', '-e', 'syscall(9, 0, 1 << 32, 3, 0x4022, -1, 0) > 0 or die; select(undef, undef, undef, 0.3)'])");
    EXPECT_EQ(build("status"), "succeeded");
}

TEST_F(PipelineCommand, that_writes_too_much_is_a_failure_and_is_ended) {
    pipeline_.database().execute("select pipeline.limit_command('shop/main', output_limit => 65536)");
    run("array['sh', '-c', 'yes; sleep 60']");
    EXPECT_EQ(build("status || ': ' || reason"), "failed: sh wrote more than it may");
}

TEST_F(PipelineCommand, that_fills_the_disk_is_a_failure_and_is_ended) {
    pipeline_.database().execute("select pipeline.limit_command('shop/main', disk_limit => 4 * 1024 * 1024)");
    run("array['sh', '-c', 'head -c 8000000 /dev/urandom > big; sleep 60']");
    EXPECT_EQ(build("status || ': ' || reason"), "failed: sh took more disk space than it may");
    EXPECT_TRUE(std::filesystem::is_empty(pipeline_.cache() / "builds"));
}

TEST_F(PipelineCommand, takes_what_it_started_with_it_when_it_is_ended) {
    pipeline_.database().execute(
        R"(update pipeline.queue set runner_settings = runner_settings || '{"time_limit": "1 second"}')");
    run("array['sh', '-c', 'trap \"\" TERM; sleep 61 & echo $!; wait; sleep 60']");
    std::ifstream command_line{"/proc/" + std::to_string(std::stoi(build("log_tail"))) + "/cmdline"};
    std::string words;
    std::getline(command_line, words);
    EXPECT_EQ(words, "") << "a process that has ended has none, even before it is reaped";
}

// What a command leaves.

TEST_F(PipelineCommand, leaves_a_log_that_is_whole) {
    run("array['sh', '-c', 'seq 1 30000']");
    auto& database = pipeline_.database();
    std::string expected;
    for (int i = 1; i <= 30000; ++i)
        expected += std::to_string(i) + "\n";
    EXPECT_EQ(database.value("select string_agg(text, '' order by start_byte) from pipeline.command_log"), expected);
    EXPECT_EQ(build("log_location"), "millrace pipeline log command/1 --queue shop/main");
}

TEST_F(PipelineCommand, leaves_its_exit_code_and_its_target_graph) {
    run(R"(array['sh', '-c', 'echo ''{"targets": [{"name": "//a", "status": "failed", "x": 1}]}'' > $TARGET_GRAPH; exit 7'])");
    EXPECT_EQ(build("exit_code"), "7");
    EXPECT_EQ(pipeline_.database().value("select target_graph from pipeline.command_run"),
              R"({"targets": [{"name": "//a", "status": "failed"}]})");
}

TEST_F(PipelineCommand, keeps_its_verdict_when_its_target_graph_is_wrong_and_says_so) {
    run(R"(array['sh', '-c', 'echo ''{"targets": [{"name": "//a"}]}'' > $TARGET_GRAPH'])");
    EXPECT_EQ(build("status || ': ' || reason"),
              "succeeded: sh exited with 0; its target graph is wrong: target 1 has no status of passed, failed and "
              "skipped");
    EXPECT_EQ(pipeline_.database().value("select target_graph from pipeline.command_run"), "");
}

TEST_F(PipelineCommand, cannot_make_the_worker_read_another_file_for_its_target_graph) {
    run("array['sh', '-c', 'ln -s /etc/passwd $TARGET_GRAPH']");
    EXPECT_THAT(build("reason"), HasSubstr("its target graph cannot be read"));
}

// Who runs it.

class PipelineRun : public PipelineCommand {
protected:
    // Up to the job that executes the command.
    void trigger(const std::string& command_array) {
        pipeline_.database().execute(
            "update pipeline.queue set runner_settings = jsonb_set(runner_settings, '{argv}', to_jsonb(" +
            command_array + "))");
        pipeline_.database().execute(
            R"(update pipeline.queue set runner_settings = runner_settings || '{"time_limit": "40 seconds"}')");
        pipeline_.push({{"a", "1"}});
        pipeline_.steps({"process", "build"});
    }
    [[nodiscard]] core::Outcome execute(std::stop_token stop, std::int64_t id = 1) {
        const auto registry = pipeline_.registry();
        core::Job job;
        job.id = {id};
        job.payload = R"({"queue": "shop/main", "build": "command/1"})";
        return std::get<std::unique_ptr<engine::Handler>>(*registry.find("pipeline.run"))->run(job, std::move(stop));
    }
};

// Where a command waits until a test writes a line.
class Gate {
public:
    Gate() {
        if (mkfifo(path().c_str(), 0600) != 0) throw std::runtime_error{"cannot make " + path()};
        line_.open(path(), std::ios::in | std::ios::out);  // waits for nobody
    }
    [[nodiscard]] std::string path() const { return (directory_.path() / "gate").string(); }
    void open() { line_ << "ended\n" << std::flush; }

private:
    TemporaryDirectory directory_;
    std::fstream line_;
};

TEST_F(PipelineRun, can_be_followed_while_it_runs) {
    Gate gate;
    trigger("array['sh', '-c', 'echo begun; head -n 1 " + gate.path() + "']");
    auto& database = pipeline_.database();
    auto outcome = std::async(std::launch::async, [&] { return execute({}); });
    EXPECT_TRUE(database.becomes("select count(*) from pipeline.command_log where text like 'begun%'", "1"));
    gate.open();
    EXPECT_TRUE(std::holds_alternative<core::Completed>(outcome.get()));
    EXPECT_EQ(database.value("select string_agg(text, '' order by start_byte) from pipeline.command_log"),
              "begun\nended\n");
}

TEST_F(PipelineRun, survives_the_death_of_the_worker_that_triggered_it) {
    trigger("array['echo', 'built']");
    pipeline_.database().execute("select millrace.close_session(id) from millrace.workers");
    auto settings = quick_settings();
    settings.queues = {{.name = "pipeline", .slots = 4}};
    RunningWorker other{pipeline_.database().sessions(), pipeline_.registry(), settings};
    EXPECT_TRUE(pipeline_.database().becomes("select count(*) from pipeline.history where degree = 0", "1"))
        << other.log().text();
    other.stop();
}

TEST_F(PipelineRun, is_repeated_with_a_log_of_its_own_when_the_worker_that_runs_it_is_lost) {
    Gate gate;
    trigger("array['sh', '-c', 'echo begun; head -n 1 " + gate.path() + "']");
    auto& database = pipeline_.database();
    std::stop_source lost;
    auto first = std::async(std::launch::async, [&] { return execute(lost.get_token(), 1); });
    ASSERT_TRUE(database.becomes("select count(*) from pipeline.command_log where attempt = 1", "1"));
    auto second = std::async(std::launch::async, [&] { return execute({}, 2); });
    ASSERT_TRUE(database.becomes("select count(*) from pipeline.command_log where attempt = 2", "1"));
    lost.request_stop();
    EXPECT_TRUE(std::holds_alternative<core::Failed>(first.get()));
    gate.open();
    EXPECT_TRUE(std::holds_alternative<core::Completed>(second.get()));
    EXPECT_EQ(
        database.value("select string_agg(attempt || text, '' order by attempt, start_byte) from pipeline.command_log"),
        "1begun\n2begun\n2ended\n");
    EXPECT_EQ(database.value("select status from pipeline.command_run"), "succeeded");
}

TEST_F(PipelineRun, is_ended_within_the_grace_when_its_build_is_called_off) {
    auto& database = pipeline_.database();
    trigger(R"(array['sh', '-c', 'trap "echo ended; exit" TERM; echo begun; sleep 60 & wait'])");
    database.execute("select millrace.close_session(id) from millrace.workers");
    auto settings = quick_settings();
    settings.queues = {{.name = "pipeline", .slots = 4}};
    RunningWorker worker{database.sessions(), pipeline_.registry(), settings};
    ASSERT_TRUE(database.becomes("select count(*) from pipeline.command_log", "1")) << worker.log().text();
    EXPECT_EQ(database.value("select pipeline.cancel_command('shop/main', 'command/1')"), "t");
    EXPECT_TRUE(database.becomes("select state from millrace.jobs where kind = 'pipeline.run'", "cancelled"))
        << worker.log().text();
    EXPECT_TRUE(database.becomes("select state from pipeline.requests", "cancelled"));
    EXPECT_EQ(database.value("select count(*) from pipeline.history"), "0") << "nothing is known of the commit";
    EXPECT_EQ(database.value("select string_agg(text, '' order by start_byte) from pipeline.command_log"),
              "begun\nended\n");
    EXPECT_EQ(build("log_tail"), "begun\nended\n") << "the last words are kept";
    worker.stop();
    EXPECT_TRUE(std::filesystem::is_empty(pipeline_.cache() / "builds"));
}

TEST_F(PipelineRun, ends_by_itself_when_it_writes_for_a_build_that_was_called_off) {
    // A line now and then: who writes without end is soon beyond output_limit, and has ended before it is called off.
    trigger("array['sh', '-c', 'while echo line; do sleep 0.05; done']");
    auto& database = pipeline_.database();
    auto outcome = std::async(std::launch::async, [&] { return execute({}); });
    ASSERT_TRUE(database.becomes("select count(*) > 0 from pipeline.command_log", "t"));
    database.execute("update pipeline.command_run set status = 'cancelled'");
    EXPECT_TRUE(std::holds_alternative<core::Failed>(outcome.get()));
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
