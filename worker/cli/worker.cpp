#include "cli/worker.hpp"

#include "cli/kinds.hpp"
#include "cli/reload.hpp"
#include "cli/signals.hpp"
#include "cli/trace_export.hpp"
#include "engine/reconnecting.hpp"
#include "engine/worker.hpp"
#include "ops/endpoints.hpp"
#include "ops/supervisor.hpp"
#include "storage/error.hpp"
#include "storage/installation.hpp"
#include "storage/migrator.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <exception>
#include <optional>
#include <ostream>
#include <thread>

namespace millrace::cli {

namespace {

constexpr std::array flags{
    Flag{"config", "FILE", "settings to begin with; see config/millrace.conf"},
    Flag{"check", "", "validate settings, database and schema, and exit"},
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

// A listener elsewhere would hear nothing, and nobody would notice.
void check_listening(const engine::WorkerSettings& settings, const std::string& installation) {
    if (settings.listening == engine::Listening::off || settings.listen_url.empty()) return;
    const auto session = storage::SessionFactory{settings.listen_url}.open("check");
    if (storage::installation_id(*session) != installation) {
        throw UsageError{"database.listen_url leads to another database than database.url"};
    }
}

Exit check(const Invocation& invocation, const engine::WorkerSettings& settings, ops::Log& log) {
    auto& out = invocation.console.out;
    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("check");
    storage::verify_schema(*session);
    const auto installation = storage::installation_id(*session);
    check_listening(settings, installation);
    const Kinds kinds{invocation.options, installation, log};
    out << "settings, database and schema are fine\n";
    for (const auto& queue : settings.queues)
        out << fmt::format("would serve {} with {} slots\n", queue.name, queue.slots);
    const auto& collector = invocation.options.trace_endpoint;
    if (!collector.empty()) out << fmt::format("would send spans of traced jobs to {}\n", collector);
    for (const auto& kind : kinds.registry().kinds()) {
        const auto* unavailable = std::get_if<engine::Registry::Unavailable>(kinds.registry().find(kind));
        out << (unavailable == nullptr ? fmt::format("can run {}\n", kind)
                                       : fmt::format("cannot run {}: {}\n", kind, unavailable->reason));
    }
    return Exit::done;
}

// Until `stop` is requested. A database that is away is waited for; one that does not fit is not worked on.
void serve(const Options& options, const engine::WorkerSettings& settings, Reload& reload, ops::Log& log,
           ops::Supervisor& supervisor, const std::stop_token& stop) {
    const storage::SessionFactory sessions{options.database_url};
    std::optional<ops::Endpoints> endpoints;
    if (options.http) endpoints.emplace(*options.http, sessions, MILLRACE_VERSION, log);

    engine::Stats starting_stats;
    engine::AnswerWatch answers{options.worker.lease};  // nobody looks at it: there is no heartbeat yet
    engine::Reconnecting start{sessions, "start", answers, starting_stats, log};
    std::string installation;
    const bool is_ready = start.repeat(stop, [&](storage::Session& session) {
        storage::verify_schema(session);
        installation = storage::installation_id(session);
    });
    if (!is_ready) return;

    Kinds kinds{options, installation, log};
    auto counted = kinds.counted();
    engine::Spans spans;
    std::optional<TraceExport> trace_export;
    if (!options.trace_endpoint.empty()) {
        trace_export.emplace(otlp_settings(options), spans, log);
        counted.counters.push_back(span_counters(spans));
    }
    engine::Worker worker{sessions, kinds.registry(), settings, log, trace_export ? &spans : nullptr};
    const Reload::Use use{reload, [&](const Options& now) {
                              kinds.adjust(now);
                              worker.adjust(now.worker);
                          }};
    std::optional<ops::Endpoints::Showing> showing;
    if (endpoints) showing.emplace(*endpoints, worker, kinds.registry(), std::move(counted));
    const ops::Watching watching{supervisor, [&] {
                                     const auto condition = worker.condition();
                                     return ops::Watching::State{condition.holds_session, condition.is_alive};
                                 }};
    // When a handler still runs and does not listen, its job has been given back; there is nothing to wait for but the
    // last spans.
    const auto leave = [&](Exit exit) {
        trace_export.reset();
        std::_Exit(static_cast<int>(exit));
    };
    try {
        if (worker.run(stop) == engine::Worker::Ending::abandoned) leave(Exit::done);
    } catch (const std::exception& error) {
        if (!worker.condition().has_abandoned) throw;
        log.write(ops::Level::error, "worker failed, and left a handler behind", {{"reason", error.what()}});
        leave(Exit::failed);
    }
}

// A worker that sends mail does not take over settings by which it could not.
Reload::Check check_of(const Options& options) {
    if (mail_server_problem(options)) return [](const Options&) {};
    return [](const Options& next) {
        const auto problem = next.smtp ? mail_server_problem(next) : std::nullopt;
        if (problem) throw UsageError{*problem};
    };
}

Exit run(const Invocation& invocation) {
    const auto& options = invocation.options;
    if (!invocation.arguments.words().empty()) {
        throw UsageError{
            fmt::format("worker takes no words; did you mean --queue {}?", invocation.arguments.words().front())};
    }
    ops::Log log{format_of(options), stderr, options.log_level};
    const bool is_check = invocation.arguments.has("check");
    // A worker may have other work than mail; whoever asks wants to know.
    if (const auto problem = options.smtp ? mail_server_problem(options) : std::nullopt; is_check && problem) {
        throw UsageError{*problem};
    }
    const auto token_problem = options.github ? adapters::github_problem(*options.github) : std::nullopt;
    if (is_check && token_problem) throw UsageError{*token_problem};
    const auto trace_gap = trace_problem(options);
    if (is_check && !trace_gap.empty()) throw UsageError{trace_gap};
    const auto settings = settings_of(options, log);
    if (is_check) return check(invocation, settings, log);

    Signals signals;
    ops::Supervisor supervisor{options.supervision, log};
    Reload reload{invocation, Reader::worker, log, check_of(options)};
    std::exception_ptr failure;
    std::jthread work{[&](const std::stop_token& stop) {
        try {
            serve(options, settings, reload, log, supervisor, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        signals.finish();
    }};
    if (reload.wait_for_end(signals, supervisor)) {
        supervisor.tell_stopping();
        work.request_stop();
        if (const auto second = signals.wait_for_end()) _exit(128 + *second);
    }
    work.join();
    if (failure) std::rethrow_exception(failure);
    return Exit::done;
}

}  // namespace

Command worker_command() {
    return {.name = "worker",
            .summary = "pulls jobs and runs them",
            .usage =
                "millrace worker --queue NAME[=SLOTS]... [--config FILE] [settings]\n"
                "millrace worker --check ...",
            .details =
                "As many workers as wanted, on as many hosts; each needs only the database. SIGTERM or SIGINT drains:\n"
                "running jobs may end within worker.drain_timeout, the rest is given back. A second signal ends\n"
                "the process at once. SIGHUP reads the settings again: docs/operations.md says which can change.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
