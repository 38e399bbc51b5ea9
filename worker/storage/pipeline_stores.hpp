#pragma once
// The pipeline's tables, one store each. `get` throws NotFound, `create` AlreadyExists, `update` VersionMismatch; none
// of them spoils the transaction that it is part of. What the server itself refuses is an Error (MR007: a transition
// that must never happen), a lost connection is ConnectionLost.
//
// Whoever writes several entities of a pipeline queue locks the queue first.
//
// Thread rule: as the Session of the transaction.

#include "storage/pipeline_entities.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace millrace::storage::pipeline {

class QueueStore {
public:
    explicit QueueStore(Transaction& transaction) : transaction_{transaction} {}

    [[nodiscard]] Queue get(const std::string& name);
    [[nodiscard]] Queue lock(const std::string& name);        // until the transaction ends
    void update(const Queue& queue, VersionChange versions);  // of the bookmark; all else belongs to operators
    // The request that owns the commit: a new one, or the one that has been there.
    RequestNumber ingest(const std::string& name, std::string_view uri);
    // Of its last green as it was read. The word for what became of it.
    std::string note_promotion(const Queue& queue, PromotionOutcome outcome);

private:
    Transaction& transaction_;
};

class RequestStore {
public:
    explicit RequestStore(Transaction& transaction) : transaction_{transaction} {}

    [[nodiscard]] Request get(const RequestKey& key);
    void update(const Request& request, VersionChange versions);
    int supersede_before(const RequestKey& key);  // those that are still only accepted; how many
    [[nodiscard]] std::int64_t count_processing(const std::string& queue);
    [[nodiscard]] std::optional<RequestNumber> latest_accepted(const std::string& queue);

    // Builds of the projects that it touches, as the target graph of this build says; how many.
    int begin_projects(const RequestKey& key, const std::string& build);
    void call_off_project(const RequestKey& key, const std::string& project);
    // One step of the search for the commit that broke it: "searching", "found", "given up"; nothing: there is none.
    std::optional<std::string> search_on(const RequestKey& key);

private:
    Transaction& transaction_;
};

class BuildStore {
public:
    explicit BuildStore(Transaction& transaction) : transaction_{transaction} {}

    void create(const Build& build);
    [[nodiscard]] Build get(const BuildKey& key);
    void update(const Build& build, VersionChange versions);
    // That of this run of the request for the project ('' for the whole repository).
    [[nodiscard]] std::optional<std::string> find(const RequestKey& request, const std::string& project, int run);
    // The run that repeats a build that has failed; nothing: the failure stands.
    std::optional<int> repeat(const BuildKey& key);
    void keep_target_graph(const BuildKey& key, const std::string& graph);  // JSON; the first one stands

private:
    Transaction& transaction_;
};

class FactStore {
public:
    explicit FactStore(Transaction& transaction) : transaction_{transaction} {}

    void create(const Fact& fact);
    [[nodiscard]] Fact get(const FactKey& key);
    // Whoever wants to know of a new fact is told, once; what follows from it is enqueued.
    void announce(const Fact& fact);

private:
    Transaction& transaction_;
};

class HookStore {
public:
    explicit HookStore(Transaction& transaction) : transaction_{transaction} {}

    // By email or NOTIFY. False: there is no such event or sink.
    bool tell(const std::string& event, const std::string& sink);

private:
    Transaction& transaction_;
};

// The book of the `command` runner.
class CommandRunStore {
public:
    explicit CommandRunStore(Transaction& transaction) : transaction_{transaction} {}

    // The build's id. The execution is enqueued in this transaction, unless it has been before.
    std::string trigger(const CommandRun& run);
    struct Report {
        BuildStatus status = BuildStatus::accepted;
        std::string reason;
        std::optional<std::string> target_graph;  // JSON text
    };
    [[nodiscard]] Report report(const BuildKey& key);
    // Counts as running from here on, unless it has ended, as the status then says.
    [[nodiscard]] CommandRun start(const BuildKey& key);
    bool finish(const BuildKey& key, const CommandEnd& end);  // false: it had ended before, and that stands
    bool cancel(const BuildKey& key);
    [[nodiscard]] std::string settings(const std::string& queue);  // of the build runner, whichever: JSON text
    bool append_log(const RunKey& run,
                    const LogText& text);  // false: that run is not, or no longer, the one that counts

private:
    Transaction& transaction_;
};

struct Stores {
    explicit Stores(Transaction& transaction)
        : queues{transaction},
          requests{transaction},
          builds{transaction},
          facts{transaction},
          hooks{transaction},
          command_runs{transaction} {}
    QueueStore queues;
    RequestStore requests;
    BuildStore builds;
    FactStore facts;
    HookStore hooks;
    CommandRunStore command_runs;
};

}  // namespace millrace::storage::pipeline
