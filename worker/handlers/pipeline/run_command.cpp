#include "handlers/pipeline/run_command.hpp"

#include "adapters/process.hpp"
#include "adapters/work_tree.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <system_error>
#include <utility>

namespace millrace::handlers::pipeline {

using adapters::ProcessEnd;
using adapters::SourceControlError;
using storage::pipeline::BuildStatus;
using storage::pipeline::CommandEnd;
using storage::pipeline::CommandRun;

namespace {

constexpr auto session_purpose = "pipeline";

std::vector<std::string> environment_of(const CommandRun& run, const adapters::SourceControl& source,
                                        std::vector<std::string> environment) {
    environment.push_back("BASE_URI=" + run.base_uri.value_or(""));
    environment.push_back("HEAD_URI=" + run.head_uri);
    environment.push_back("BASE_SHA=" + (run.base_uri ? source.commit_of(*run.base_uri) : ""));
    environment.push_back("HEAD_SHA=" + source.commit_of(run.head_uri));
    environment.push_back("PROJECT=" + run.project);
    return environment;
}

CommandEnd judged(ProcessEnd end, const CommandRun& run) {
    CommandEnd judgement;
    judgement.status = end.succeeded() ? BuildStatus::succeeded : BuildStatus::failed;
    judgement.reason = fmt::format("{} {}", run.argv.front(), describe(end));
    if (end.reason == ProcessEnd::Reason::exited) judgement.exit_code = end.code;
    // The limit is that of the bytes that were kept, each of which is at most one byte of what is printable.
    judgement.log_tail = core::printable(end.output, RunCommand::max_log_tail);
    return judgement;
}

// Asked to while the command ran, of which nothing is to be recorded.
class Stopped : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

bool is_fault_of_the_command(const std::system_error& error) {
    return error.code() == std::errc::no_such_file_or_directory || error.code() == std::errc::permission_denied ||
           error.code() == std::errc::executable_format_error || error.code() == std::errc::not_a_directory;
}

}  // namespace

core::Outcome RunCommand::run(const core::Job& job, std::stop_token stop) {
    try {
        const auto assignment = begin(read_payload(job.payload, {"queue", "build"}));
        if (is_terminal(assignment.run.status)) return core::Completed{};  // run before, or called off
        const auto end = execute(assignment, job, stop);
        finish(assignment.run.key, end);
        return core::Completed{};
    } catch (const BadPayload& error) {
        return core::Discarded{error.what()};
    } catch (const storage::pipeline::NotFound& error) {
        return core::Discarded{error.what()};
    } catch (const SourceControlError& error) {
        return core::Failed{error.what(), {}};
    } catch (const Stopped& stopped) {
        return core::Failed{stopped.what(), {}};
    }
}

RunCommand::Assignment RunCommand::begin(const Payload& payload) const {
    const auto session = sessions_.open(session_purpose);
    storage::Transaction transaction{*session};
    storage::pipeline::Stores stores{transaction};
    Assignment assignment{stores.queues.get(payload.queue), stores.command_runs.start({payload.queue, payload.build})};
    transaction.commit();
    return assignment;
}

CommandEnd RunCommand::execute(const Assignment& assignment, const core::Job& job, const std::stop_token& stop) const {
    const auto& run = assignment.run;
    const auto source = extensions_.source_control(assignment.queue);
    std::vector<std::string> environment;
    try {
        environment = environment_of(run, *source, extensions_.settings().environment);
    } catch (const SourceControlError& error) {
        if (error.kind() != SourceControlError::Kind::lasting) throw;
        return CommandEnd{.reason = error.what(), .exit_code = {}, .log_tail = {}};  // nobody will ever build that
    }
    // The fence tells this attempt from one that has lost its lease and does not know it yet.
    const adapters::WorkTree tree{extensions_.settings().cache / "builds",
                                  fmt::format("{}-{:x}", job.id.value, job.fence.value)};
    source->check_out(run.head_uri, tree.directory(), stop);

    const adapters::Command command{run.argv, std::move(environment), tree.directory().string()};
    const adapters::ProcessLimits limits{
        .time = run.time_limit, .output = max_log_tail, .excess = adapters::ProcessLimits::Excess::drops_the_beginning};
    try {
        auto end = adapters::run_process(command, limits, stop, adapters::Streams::together);
        if (end.reason == ProcessEnd::Reason::stopped) throw Stopped{"the command " + describe(end)};
        return judged(std::move(end), run);
    } catch (const std::system_error& error) {
        if (!is_fault_of_the_command(error)) throw;
        return CommandEnd{.reason = error.what(), .exit_code = {}, .log_tail = {}};
    }
}

void RunCommand::finish(const storage::pipeline::BuildKey& build, const CommandEnd& end) const {
    const auto session = sessions_.open(session_purpose);
    storage::Transaction transaction{*session};
    storage::pipeline::CommandRunStore{transaction}.finish(build, end);
    transaction.commit();
}

}  // namespace millrace::handlers::pipeline
