#pragma once
// The pipeline's tables as the stages see them, one store each. `get` throws NotFound, `create` AlreadyExists, `update`
// VersionMismatch; none of them spoils the transaction that it is part of. tests/storage/pipeline_contract_test.cpp
// states that, of PostgreSQL (pipeline_tables.hpp) and of the one in memory that the unit tests of stages use.
//
// What the server itself refuses is an Error (MR007: a transition that must never happen), a lost connection is
// ConnectionLost.
//
// Whoever writes several entities of a pipeline queue locks the queue first.
//
// Thread rule: one thread.

#include "storage/pipeline_entities.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::storage::pipeline {

class Store {
public:
    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    virtual ~Store() = default;
};

class QueueStore : public Store {
public:
    [[nodiscard]] virtual Queue get(const std::string& name) = 0;
    [[nodiscard]] virtual Queue lock(const std::string& name) = 0;  // until the transaction ends
    // Of the bookmark; all else belongs to operators.
    virtual void update(const Queue& queue, VersionChange versions) = 0;
    // The request that owns the commit: a new one, or the one that has been there.
    virtual RequestNumber ingest(const std::string& name, std::string_view uri) = 0;
    // Of its last green as it was read. The word for what became of it.
    virtual std::string note_promotion(const Queue& queue, PromotionOutcome outcome) = 0;
};

class RequestStore : public Store {
public:
    [[nodiscard]] virtual Request get(const RequestKey& key) = 0;
    virtual void update(const Request& request, VersionChange versions) = 0;
    // The commits after its base and before its head: which requests it holds. The first word stands.
    virtual void note_history(const RequestKey& key, const std::vector<std::string>& uris) = 0;
    virtual int supersede_before(const RequestKey& key) = 0;  // those that are still only accepted; how many
    [[nodiscard]] virtual std::int64_t count_processing(const std::string& queue) = 0;
    [[nodiscard]] virtual std::optional<RequestNumber> latest_accepted(const std::string& queue) = 0;

    // Builds of the projects that it touches, as the target graph of this build says; how many.
    virtual int begin_projects(const RequestKey& key, const std::string& build) = 0;
    virtual void call_off_project(const RequestKey& key, const std::string& project) = 0;
    // One step of the search for the commit that broke it: "searching", "found", "given up"; nothing: there is none.
    virtual std::optional<std::string> search_on(const RequestKey& key) = 0;
};

class BuildStore : public Store {
public:
    virtual void create(const Build& build) = 0;
    [[nodiscard]] virtual Build get(const BuildKey& key) = 0;
    virtual void update(const Build& build, VersionChange versions) = 0;
    // That of this run of the request for the project ('' for the whole repository).
    [[nodiscard]] virtual std::optional<std::string> find(const RequestKey& request, const std::string& project,
                                                          int run) = 0;
    // The run that repeats a build that has failed; nothing: the failure stands.
    virtual std::optional<int> repeat(const BuildKey& key) = 0;
    virtual void keep_target_graph(const BuildKey& key, const std::string& graph) = 0;  // JSON; the first one stands
};

class FactStore : public Store {
public:
    virtual void create(const Fact& fact) = 0;
    [[nodiscard]] virtual Fact get(const FactKey& key) = 0;
    // Whoever wants to know of a new fact is told, once; what follows from it is enqueued.
    virtual void announce(const Fact& fact) = 0;
};

class HookStore : public Store {
public:
    // By email or NOTIFY. False: there is no such event or sink.
    virtual bool tell(const std::string& event, const std::string& sink) = 0;
};

// The book of the `command` runner.
class CommandRunStore : public Store {
public:
    // The build's id. The execution is enqueued in this transaction, unless it has been before.
    virtual std::string trigger(const CommandRun& run) = 0;
    struct Report {
        BuildStatus status = BuildStatus::accepted;
        std::string reason;
        std::optional<std::string> target_graph;  // JSON text
    };
    [[nodiscard]] virtual Report report(const BuildKey& key) = 0;
    // Counts as running from here on, unless it has ended, as the status then says.
    [[nodiscard]] virtual CommandRun start(const BuildKey& key) = 0;
    virtual bool finish(const BuildKey& key, const CommandEnd& end) = 0;  // false: it had ended before, and that stands
    virtual bool cancel(const BuildKey& key) = 0;
    [[nodiscard]] virtual std::string settings(const std::string& queue) = 0;  // of the runner, whichever: JSON text
    // False: that run is not, or no longer, the one that counts.
    virtual bool append_log(const RunKey& run, const LogText& text) = 0;
};

// All of one place. Whoever owns them outlives this.
struct Stores {
    QueueStore& queues;
    RequestStore& requests;
    BuildStore& builds;
    FactStore& facts;
    HookStore& hooks;
    CommandRunStore& command_runs;
};

}  // namespace millrace::storage::pipeline
