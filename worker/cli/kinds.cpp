#include "cli/kinds.hpp"

#include "handlers/builtin/fail.hpp"
#include "handlers/builtin/noop.hpp"
#include "handlers/builtin/wait.hpp"
#include "handlers/email/send.hpp"
#include "handlers/forks/digest.hpp"
#include "handlers/forks/run.hpp"
#include "handlers/forks/sync.hpp"
#include "handlers/pipeline/build.hpp"
#include "handlers/pipeline/build_signal.hpp"
#include "handlers/pipeline/ingest.hpp"
#include "handlers/pipeline/process.hpp"
#include "handlers/pipeline/record.hpp"
#include "handlers/pipeline/run_command.hpp"

#include <array>

namespace millrace::cli {

namespace {

constexpr auto no_smtp = "no mail server is configured: set smtp.url";

constexpr std::array pipeline_kinds{"pipeline.ingest",      "pipeline.process", "pipeline.build",
                                    "pipeline.buildsignal", "pipeline.record",  "pipeline.run"};

// Why this host cannot work with repositories; nothing when it can.
std::optional<std::string> repository_problem(const Options& options, const adapters::GitSettings& git) {
    if (options.cache_directory.empty()) return "there is no place for copies of repositories: set worker.cache";
    return adapters::git_problem(git);
}

}  // namespace

Kinds::Kinds(const Options& options, const std::string& installation, ops::Log& log) {
    registry_.add("noop", std::make_unique<handlers::builtin::Noop>());
    registry_.add("wait", std::make_unique<handlers::builtin::Wait>());
    registry_.add("fail", std::make_unique<handlers::builtin::Fail>());
    registry_.add("forks.run", std::make_unique<handlers::forks::Run>());
    registry_.add("forks.digest", std::make_unique<handlers::forks::Digest>());
    if (options.smtp) {
        smtp_ = std::make_unique<adapters::Smtp>(*options.smtp);
        handlers::email::Send::Settings settings{.installation = installation};
        registry_.add("email.send", std::make_unique<handlers::email::Send>(*smtp_, std::move(settings), log));
    } else {
        add_unavailable("email.send", no_smtp, log);
    }
    const adapters::GitSettings git{.environment = options.program_environment};
    if (const auto problem = repository_problem(options, git)) {
        add_unavailable("forks.sync", *problem, log);
        for (const auto* kind : pipeline_kinds)
            add_unavailable(kind, *problem, log);
    } else {
        handlers::forks::Sync::Settings settings{.git = {.cache = options.cache_directory, .git = git}};
        registry_.add("forks.sync", std::make_unique<handlers::forks::Sync>(
                                        storage::SessionFactory{options.database_url}, std::move(settings)));
        add_pipeline(options);
    }
}

void Kinds::add_pipeline(const Options& options) {
    namespace pipeline = handlers::pipeline;
    pipeline_ = std::make_unique<pipeline::Extensions>(pipeline::Extensions::Settings{
        .cache = options.cache_directory + "/pipeline", .environment = options.program_environment});
    registry_.add("pipeline.ingest", std::make_unique<pipeline::Ingest>(*pipeline_));
    registry_.add("pipeline.process", std::make_unique<pipeline::Process>(*pipeline_));
    registry_.add("pipeline.build", std::make_unique<pipeline::Build>(*pipeline_));
    registry_.add("pipeline.buildsignal", std::make_unique<pipeline::BuildSignal>(*pipeline_));
    registry_.add("pipeline.record", std::make_unique<pipeline::Record>());
    registry_.add("pipeline.run",
                  std::make_unique<pipeline::RunCommand>(*pipeline_, storage::SessionFactory{options.database_url}));
}

void Kinds::add_unavailable(const std::string& kind, const std::string& reason, ops::Log& log) {
    registry_.add_unavailable(kind, reason);
    log.write(ops::Level::info, "kind not available", {{"kind", kind}, {"reason", reason}});
}

std::vector<engine::QueueSettings> servable_queues(const Options& options, ops::Log& log) {
    std::vector<engine::QueueSettings> queues;
    for (const auto& queue : options.worker.queues) {
        if (queue.name == "email" && !options.smtp) {
            log.write(ops::Level::error, "queue not served", {{"queue", queue.name}, {"reason", no_smtp}});
        } else {
            queues.push_back(queue);
        }
    }
    return queues;
}

}  // namespace millrace::cli
