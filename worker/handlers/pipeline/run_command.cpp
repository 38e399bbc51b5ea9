#include "handlers/pipeline/run_command.hpp"

#include "adapters/process.hpp"
#include "adapters/work_tree.hpp"
#include "core/printable.hpp"
#include "handlers/pipeline/target_graph.hpp"
#include "storage/pipeline_tables.hpp"

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

CommandEnd failure(const char* reason) {
    return {.reason = reason, .exit_code = {}, .log_tail = {}, .target_graph = {}};
}

// A graph that cannot be used is no reason for another verdict, but a person must be able to see it.
CommandEnd with_targets(CommandEnd end, const std::filesystem::path& graph) {
    try {
        end.target_graph = read_target_graph(graph);
    } catch (const BadTargetGraph& error) {
        end.reason += fmt::format("; its target graph {}", error.what());
    }
    return end;
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
        std::stop_source ends;
        const std::stop_callback with_the_job{stop, [&] { ends.request_stop(); }};
        RunLog log{sessions_, counts_, {assignment.run.key, assignment.run.attempt}, ends};
        const auto token = ends.get_token();
        const Attempt attempt{assignment, job, log, token};
        try {
            finish(attempt, execute(attempt));
        } catch (const Stopped& stopped) {
            keep_log(attempt);
            return core::Failed{stopped.what(), {}};
        }
        return core::Completed{};
    } catch (const BadPayload& error) {
        return core::Discarded{error.what()};
    } catch (const storage::pipeline::NotFound& error) {
        return core::Discarded{error.what()};
    } catch (const SourceControlError& error) {
        return core::Failed{error.what(), {}};
    }
}

RunCommand::Assignment RunCommand::begin(const Payload& payload) const {
    const auto session = sessions_.open(session_purpose);
    storage::Transaction transaction{*session};
    storage::pipeline::Tables tables{transaction, counts_};
    const auto stores = tables.stores();
    Assignment assignment{stores.queues.get(payload.queue), stores.command_runs.start({payload.queue, payload.build})};
    transaction.commit();
    return assignment;
}

CommandEnd RunCommand::execute(const Attempt& attempt) const {
    const auto& run = attempt.assignment.run;
    const auto source = extensions_.source_control(attempt.assignment.queue);
    std::vector<std::string> environment;
    try {
        environment = environment_of(run, *source, extensions_.settings().environment);
    } catch (const SourceControlError& error) {
        if (error.kind() != SourceControlError::Kind::lasting) throw;
        return failure(error.what());  // nobody will ever build that
    }
    // The fence tells this attempt from one that has lost its lease and does not know it yet.
    const adapters::WorkTree place{extensions_.settings().cache / "builds",
                                   fmt::format("{}-{:x}", attempt.job.id.value, attempt.job.fence.value)};
    const auto tree = place.directory() / "tree";
    const auto graph = place.directory() / "targets.json";
    std::filesystem::create_directories(place.directory());
    source->check_out(run.head_uri, tree, attempt.stop);
    environment.push_back("TARGET_GRAPH=" + graph.string());

    const adapters::Command command{run.argv, std::move(environment), tree.string()};
    adapters::ProcessLimits limits;
    limits.time = run.time_limit;
    limits.output = max_log_tail;
    limits.excess = adapters::ProcessLimits::Excess::drops_the_beginning;
    limits.written = run.output_limit;
    limits.memory = run.memory_limit;
    limits.disk = run.disk_limit;
    limits.disk_directory = place.directory();
    try {
        auto end = adapters::run_process(command, limits, attempt.stop, adapters::Streams::together,
                                         [&](std::string_view bytes) { attempt.log.add(bytes); });
        if (end.reason == ProcessEnd::Reason::stopped) throw Stopped{"the command " + describe(end)};
        return with_targets(judged(std::move(end), run), graph);
    } catch (const std::system_error& error) {
        if (!is_fault_of_the_command(error)) throw;
        return failure(error.what());
    }
}

void RunCommand::finish(const Attempt& attempt, const CommandEnd& end) const {
    const auto session = sessions_.open(session_purpose);
    storage::Transaction transaction{*session};
    attempt.log.rest(transaction);
    storage::pipeline::Tables tables{transaction, counts_};
    tables.stores().command_runs.finish(attempt.assignment.run.key, end);
    transaction.commit();
}

// What a run wrote before it was stopped is worth something; that it can be written is not certain, and not needed.
void RunCommand::keep_log(const Attempt& attempt) const try {
    const auto session = sessions_.open(session_purpose);
    storage::Transaction transaction{*session};
    attempt.log.rest(transaction);
    transaction.commit();
} catch (const std::exception&) {  // the job fails anyway, and says why
}

}  // namespace millrace::handlers::pipeline
