#include "cli/database_work.hpp"

#include "cli/kinds.hpp"
#include "cli/trace_export.hpp"
#include "engine/pause.hpp"
#include "engine/reconnecting.hpp"
#include "engine/worker.hpp"
#include "storage/installation.hpp"
#include "storage/migrator.hpp"

#include <chrono>
#include <exception>
#include <optional>
#include <stop_token>
#include <utility>

namespace millrace::cli {
namespace {

// A database that has refused its worker: somebody has to put that right.
constexpr std::chrono::seconds retry_after{15};

// Forks of several databases may have the same name, and their copies are kept by it.
Options options_for(Options options, const NamedDatabase& database) {
    if (database.name.empty()) return options;
    options.database_url = database.url;
    options.database_name = database.name;
    if (!options.cache_directory.empty()) options.cache_directory += "/databases/" + database.name;
    return options;
}

void work(const Database& database, std::size_t number, const Process& process) {
    const auto& options = database.options;
    const auto& sessions = database.sessions;
    auto& log = database.log;
    const auto stop = process.end.token();

    engine::Stats starting_stats;
    engine::AnswerWatch answers{options.worker.lease};  // nobody looks at it: there is no heartbeat yet
    engine::Reconnecting start{sessions, "start", answers, starting_stats, log};
    std::string installation;
    const bool is_ready = start.repeat(stop, [&](storage::Session& session) {
        const std::stop_callback hang_up{stop, [&] { session.hang_up(); }};
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
    engine::Worker worker{sessions, kinds.registry(), process.settings, log, trace_export ? &spans : nullptr};
    const Reload::Use use{process.reload, [&](const Options& now) {
                              kinds.adjust(now);
                              worker.adjust(now.worker);
                          }};
    std::optional<Workers::Place> place;
    place.emplace(process.workers, number, worker, installation);
    std::optional<ops::Endpoints::Showing> showing;
    if (process.endpoints != nullptr) {
        showing.emplace(*process.endpoints, worker, kinds.registry(), std::move(counted), number);
    }
    // When a handler still runs and does not listen, its job has been given back; there is nothing to wait for but the
    // last spans, and other databases. Meanwhile a worker whose loops have ended is not one that hangs.
    const auto leave = [&](Exit exit) {
        trace_export.reset();
        place.reset();
        process.end.leave(exit);
    };
    try {
        if (worker.run(stop) == engine::Worker::Ending::abandoned) leave(Exit::done);
    } catch (const std::exception& error) {
        if (!worker.condition().has_abandoned) throw;
        log.write(ops::Level::error, "worker failed, and left a handler behind", {{"reason", error.what()}});
        leave(Exit::failed);
    }
}

// False when it has drained, or has failed and shall not be tried again.
bool fails_for_now(const Database& database, std::size_t number, const Process& process) {
    try {
        work(database, number, process);
        return false;
    } catch (const std::exception& error) {
        const bool is_tried_again = process.end.note_failed(std::current_exception());
        // What a person reads at the end does not say of which one it is.
        if (!database.options.database_name.empty()) {
            database.log.write(ops::Level::error,
                               is_tried_again ? "work for this database has failed, trying again"
                                              : "work for this database has failed",
                               {{"reason", error.what()}});
        }
        return is_tried_again;
    }
}

}  // namespace

Database::Database(const Options& all, const NamedDatabase& named, ops::Log& whole_log)
    : options{options_for(all, named)},
      own_log{named.name.empty() ? nullptr : std::make_unique<ops::Log>(whole_log, named.name)},
      log{own_log ? *own_log : whole_log},
      sessions{options.database_url} {}

std::vector<std::unique_ptr<Database>> databases_of(const Options& options, ops::Log& log) {
    std::vector<std::unique_ptr<Database>> databases;
    for (const auto& named : options.databases)
        databases.push_back(std::make_unique<Database>(options, named, log));
    if (databases.empty()) databases.push_back(std::make_unique<Database>(options, NamedDatabase{}, log));
    return databases;
}

void work_for(const Database& database, std::size_t number, const Process& process) {
    const auto stop = process.end.token();
    while (!stop.stop_requested() && fails_for_now(database, number, process)) {
        engine::pause(stop, retry_after);
        process.end.note_trying();
    }
    process.end.note_drained();
}

}  // namespace millrace::cli
