#include "cli/worker_check.hpp"

#include "cli/database_work.hpp"
#include "cli/guess.hpp"
#include "cli/kinds.hpp"
#include "storage/error.hpp"
#include "storage/installation.hpp"
#include "storage/migrator.hpp"
#include "storage/worker_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Verdict {
    std::string database;  // its name; empty: the only one
    std::string installation;
    std::string problem;  // empty: fit for work
    std::string remedy;
    bool is_twin = false;  // the same database as one before it
};

// A listener elsewhere would hear nothing, and nobody would notice.
void check_listening(const engine::WorkerSettings& settings, const std::string& installation) {
    if (settings.listening == engine::Listening::off || settings.listen_url.empty()) return;
    const auto session = storage::SessionFactory{settings.listen_url}.open("check");
    if (storage::installation_id(*session) != installation) {
        throw UsageError{"database.listen_url leads to another database than database.url"};
    }
}

// Which installation it is. A session is opened, as the worker will, and taken back: a role that may not work, a copy
// that nobody has adopted and a queue that is not there are found now, not by the service that starts at night.
std::string check_database(const Database& database, const engine::WorkerSettings& settings) {
    const auto session = database.sessions.open("check");
    storage::verify_schema(*session);
    storage::WorkerInfo worker{
        .name = settings.name, .version = settings.version, .queues = {}, .lease = settings.lease};
    for (const auto& queue : settings.queues)
        worker.queues.push_back(queue.name);
    storage::WorkerStore{*session}.rehearse(worker);
    auto installation = storage::installation_id(*session);
    check_listening(settings, installation);
    return installation;
}

Verdict verdict_on(const Database& database, const engine::WorkerSettings& settings) {
    Verdict verdict;
    verdict.database = database.options.database_name;
    try {
        verdict.installation = check_database(database, settings);
    } catch (const storage::Error& error) {
        const auto guess = guess_for(error, database.options);
        verdict.problem = error.what();
        verdict.remedy = guess.empty() ? error.hint() : guess;
    } catch (const storage::ConnectionLost& error) {
        verdict.problem = fmt::format("no connection: {}", error.what());
    }
    return verdict;
}

// All are looked at. Of two that are one and the same the second is not fit: it would be worked on twice.
std::vector<Verdict> verdicts_on(const std::vector<std::unique_ptr<Database>>& databases,
                                 const engine::WorkerSettings& settings) {
    std::vector<Verdict> verdicts;
    for (const auto& database : databases) {
        auto verdict = verdict_on(*database, settings);
        const auto same = std::find_if(verdicts.begin(), verdicts.end(), [&](const Verdict& other) {
            return !verdict.installation.empty() && other.installation == verdict.installation;
        });
        if (same != verdicts.end()) {
            verdict.problem = fmt::format("is the same as {}", same->database);
            verdict.remedy = "Leave one of the two out.";
            verdict.is_twin = true;
        }
        verdicts.push_back(std::move(verdict));
    }
    return verdicts;
}

bool is_fit(const Verdict& verdict) {
    return verdict.problem.empty();
}

// Each kind, and why it cannot be run as configured; empty when it can.
std::vector<std::pair<std::string, std::string>> kinds_of(const Options& options, const std::string& installation,
                                                          ops::Log& log) {
    const Kinds kinds{options, installation, log};
    std::vector<std::pair<std::string, std::string>> known;
    for (const auto& kind : kinds.registry().kinds()) {
        const auto* unavailable = std::get_if<engine::Registry::Unavailable>(kinds.registry().find(kind));
        known.emplace_back(kind, unavailable == nullptr ? "" : unavailable->reason);
    }
    return known;
}

Json maybe(const std::string& text) {
    return text.empty() ? Json{} : Json(text);
}

void print_json(const Invocation& invocation, const engine::WorkerSettings& settings,
                const std::vector<Verdict>& verdicts, ops::Log& log) {
    const bool all_fit = std::all_of(verdicts.begin(), verdicts.end(), is_fit);
    Json told{{"is_fit", all_fit},
              {"databases", Json::array()},
              {"queues", Json::array()},
              {"kinds", Json::array()},
              {"traces", maybe(invocation.options.trace_endpoint)}};
    for (const auto& verdict : verdicts) {
        told["databases"].push_back({{"name", maybe(verdict.database)},
                                     {"problem", maybe(verdict.problem)},
                                     {"remedy", maybe(verdict.remedy)}});
    }
    for (const auto& queue : settings.queues)
        told["queues"].push_back({{"name", queue.name}, {"slots", queue.slots}});
    if (all_fit) {
        for (const auto& [kind, problem] : kinds_of(invocation.options, verdicts.back().installation, log))
            told["kinds"].push_back({{"kind", kind}, {"problem", maybe(problem)}});
    }
    invocation.console.out << told.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

void print(const Invocation& invocation, const engine::WorkerSettings& settings, const std::string& installation,
           ops::Log& log) {
    auto& out = invocation.console.out;
    out << "settings, database and schema are fine\n";
    for (const auto& queue : settings.queues)
        out << fmt::format("would serve {} with {} slots\n", queue.name, queue.slots);
    const auto& collector = invocation.options.trace_endpoint;
    if (!collector.empty()) out << fmt::format("would send spans of traced jobs to {}\n", collector);
    for (const auto& [kind, problem] : kinds_of(invocation.options, installation, log))
        out << (problem.empty() ? fmt::format("can run {}\n", kind)
                                : fmt::format("cannot run {}: {}\n", kind, problem));
}

}  // namespace

Exit check_worker(const Invocation& invocation, const engine::WorkerSettings& settings, ops::Log& log) {
    const auto databases = databases_of(invocation.options, log);
    const bool is_json = invocation.arguments.has("json");
    if (invocation.options.databases.empty() && !is_json) {
        print(invocation, settings, check_database(*databases.front(), settings), log);
        return Exit::done;
    }
    const auto verdicts = verdicts_on(databases, settings);
    const bool all_fit = std::all_of(verdicts.begin(), verdicts.end(), is_fit);
    if (is_json) {
        print_json(invocation, settings, verdicts, log);
        return all_fit ? Exit::done : Exit::failed;
    }
    for (const auto& verdict : verdicts) {
        if (is_fit(verdict)) {
            invocation.console.out << fmt::format("database {} is fine\n", verdict.database);
        } else {
            invocation.console.complain(
                fmt::format("database {}{}{}", verdict.database, verdict.is_twin ? " " : ": ", verdict.problem),
                verdict.remedy);
        }
    }
    if (all_fit) print(invocation, settings, verdicts.back().installation, log);
    return all_fit ? Exit::done : Exit::failed;
}

}  // namespace millrace::cli
