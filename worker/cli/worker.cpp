#include "cli/worker.hpp"

#include "cli/database_work.hpp"
#include "cli/joint_end.hpp"
#include "cli/kinds.hpp"
#include "cli/reload.hpp"
#include "cli/signals.hpp"
#include "cli/trace_export.hpp"
#include "cli/worker_check.hpp"
#include "cli/workers.hpp"
#include "ops/endpoints.hpp"
#include "ops/supervisor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace millrace::cli {

namespace {

constexpr std::array flags{
    Flag{"config", "FILE", "settings to begin with; see config/millrace.conf"},
    check_flag,
    Flag{"json", "", "with --check: print JSON, for programs"},
};

ops::Log::Format format_of(const Options& options) {
    const bool is_watched = isatty(STDERR_FILENO) == 1;
    return options.log_format.value_or(is_watched ? ops::Log::Format::human : ops::Log::Format::json);
}

// What all attempts to start have in common; refuses what can be refused without a database.
engine::WorkerSettings settings_of(const Options& options, ops::Log& log) {
    if (options.worker.queues.empty()) throw UsageError{"no queue to serve: --queue NAME, or worker.queue in the file"};
    auto settings = options.worker;
    settings.version = MILLRACE_VERSION;
    settings.queues = servable_queues(options, log);
    if (settings.queues.empty()) {
        const auto& first = options.worker.queues.front().name;
        throw std::runtime_error{
            fmt::format("no queue is left to serve: {}", queue_problem(options, first).value_or(""))};
    }
    return settings;
}

// A worker that sends mail does not take over settings by which it could not.
Reload::Check check_of(const Options& options) {
    if (mail_server_problem(options)) return [](const Options&) {};
    return [](const Options& next) {
        const auto problem = next.smtp ? mail_server_problem(next) : std::nullopt;
        if (problem) throw UsageError{*problem};
    };
}

// Null when nobody is to be shown anything.
std::unique_ptr<ops::Endpoints> endpoints_of(const Options& options,
                                             const std::vector<std::unique_ptr<Database>>& databases, ops::Log& log) {
    if (!options.http) return nullptr;
    std::vector<ops::Endpoints::Database> shown;
    shown.reserve(databases.size());
    for (const auto& database : databases)
        shown.push_back({database->options.database_name, database->sessions, database->log});
    return std::make_unique<ops::Endpoints>(*options.http, shown, MILLRACE_VERSION, log);
}

std::vector<std::string> names_of(const std::vector<std::unique_ptr<Database>>& databases) {
    std::vector<std::string> names;
    names.reserve(databases.size());
    for (const auto& database : databases)
        names.push_back(database->options.database_name);
    return names;
}

// Until a signal says stop and all have drained, or all have failed.
void work(const Options& options, const engine::WorkerSettings& settings, ops::Log& log, Signals& signals,
          ops::Supervisor& supervisor, Reload& reload) {
    const auto databases = databases_of(options, log);
    const auto endpoints = endpoints_of(options, databases, log);
    Workers workers{names_of(databases)};
    JointEnd end{databases.size(), [&] { signals.finish(); }};
    const Process process{settings, reload, endpoints.get(), workers, end};
    const ops::Watching watching{supervisor, [&] { return workers.state(); }};
    std::vector<std::jthread> works;
    for (std::size_t number = 0; number < databases.size(); ++number) {
        works.emplace_back([&, number](const std::stop_token& stop) {
            const std::stop_callback forward{stop, [&] { end.request_stop(); }};
            work_for(*databases[number], number, process);
        });
    }
    if (reload.wait_for_end(signals, supervisor)) {
        supervisor.tell_stopping();
        end.request_stop();
        if (const auto second = signals.wait_for_end()) _exit(128 + *second);
    }
    works.clear();
    if (const auto failure = end.failure()) std::rethrow_exception(failure);
}

Exit run(const Invocation& invocation) {
    const auto& options = invocation.options;
    if (!invocation.arguments.words().empty()) {
        throw UsageError{
            fmt::format("worker takes no words; did you mean --queue {}?", invocation.arguments.words().front())};
    }
    ops::Log log{format_of(options), stderr, options.log_level};
    const bool is_check = invocation.arguments.has("check");
    if (!is_check && invocation.arguments.has("json")) throw UsageError{"--json goes with --check"};
    // A worker may have other work than mail; whoever asks wants to know.
    if (const auto problem = options.smtp ? mail_server_problem(options) : std::nullopt; is_check && problem) {
        throw UsageError{*problem};
    }
    const auto token_problem = options.github ? adapters::github_problem(*options.github) : std::nullopt;
    if (is_check && token_problem) throw UsageError{*token_problem};
    const auto trace_gap = trace_problem(options);
    if (is_check && !trace_gap.empty()) throw UsageError{trace_gap};
    const auto settings = settings_of(options, log);
    if (is_check) return check_worker(invocation, settings, log);

    Signals signals;
    ops::Supervisor supervisor{options.supervision, log};
    Reload reload{invocation, Reader::worker, log, check_of(options)};
    work(options, settings, log, signals, supervisor, reload);
    return Exit::done;
}

}  // namespace

Command worker_command() {
    return {.name = "worker",
            .summary = "pulls jobs and runs them",
            .usage =
                "millrace worker --queue NAME[=SLOTS]... [--config FILE] [settings]\n"
                "millrace worker --database NAME=URL... --queue NAME[=SLOTS]... [settings]\n"
                "millrace worker --check ... [--json]",
            .details =
                "As many workers as wanted, on as many hosts; each needs only the database. SIGTERM or SIGINT drains:\n"
                "running jobs may end within worker.drain_timeout, the rest is given back. A second signal ends\n"
                "the process at once. SIGHUP reads the settings again: docs/operations.md says which can change.\n"
                "Several databases, each a millrace for itself, can be served by one process: docs/deployment.md.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
