#include "support/memory_stores.hpp"

#include "storage/error.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

namespace millrace::testing {
namespace {

using namespace storage::pipeline;  // NOLINT(google-build-using-namespace): it is what all of this is about

using RequestId = std::pair<std::string, std::int64_t>;
using BuildId = std::pair<std::string, std::string>;
using FactId = std::tuple<std::string, std::string, std::string>;

// Rows by their keys, with the three refusals.
template <class Key, class Row>
class Rows {
public:
    void create(const Key& key, Row row) {
        if (!rows_.emplace(key, std::move(row)).second) throw AlreadyExists{"it exists"};
    }
    [[nodiscard]] Row& at(const Key& key) {
        const auto found = rows_.find(key);
        if (found == rows_.end()) throw NotFound{"it does not exist"};
        return found->second;
    }
    // What is to be written over.
    [[nodiscard]] Row& at(const Key& key, std::int64_t version) {
        const auto found = rows_.find(key);
        if (found == rows_.end() || found->second.version != version) throw VersionMismatch{"it has another version"};
        return found->second;
    }
    [[nodiscard]] std::map<Key, Row>& all() { return rows_; }

private:
    std::map<Key, Row> rows_;
};

// What must never happen, as the server refuses it.
void require(bool is_allowed, const char* what) {
    if (!is_allowed) throw storage::Error{what, "MR007", ""};
}

bool leads(RequestState from, RequestState to) {
    if (from == to) return true;
    if (from == RequestState::accepted) return to != RequestState::succeeded;
    return from == RequestState::processing && to != RequestState::accepted && to != RequestState::superseded;
}

bool leads(BuildStatus from, BuildStatus to) {
    return from == to || (!is_terminal(from) && to != BuildStatus::accepted);
}

class Requests final : public RequestStore {
public:
    Request get(const RequestKey& key) override { return rows.at(id(key)); }
    void update(const Request& request, VersionChange versions) override {
        auto& row = rows.at(id(request.key), versions.from);
        require(leads(row.state, request.state), "a state that this one does not lead to");
        require(!row.strategy || (row.strategy == request.strategy && row.base_uri == request.base_uri),
                "the strategy is pinned");
        const auto committed = row.committed ? row.committed : request.committed;
        row = request;
        row.committed = committed;
        row.version = versions.to;
    }
    void note_history(const RequestKey&, const std::vector<std::string>&) override {}
    int supersede_before(const RequestKey& key) override {
        int superseded = 0;
        for (auto& [number, row] : rows.all()) {
            if (number.first != key.queue || number.second >= key.number.value || row.attempt > 1) continue;
            if (row.state != RequestState::accepted) continue;
            row.state = RequestState::superseded;
            ++row.version;
            ++superseded;
        }
        return superseded;
    }
    std::int64_t count_processing(const std::string& queue) override {
        return std::count_if(rows.all().begin(), rows.all().end(), [&](const auto& entry) {
            return entry.first.first == queue && entry.second.state == RequestState::processing;
        });
    }
    std::optional<RequestNumber> latest_accepted(const std::string& queue) override {
        const Request* next = nullptr;
        for (const auto& [number, row] : rows.all()) {
            if (number.first != queue || row.state != RequestState::accepted) continue;
            // After those that an operator wants again, the latest.
            if (next == nullptr || (row.attempt > 1) >= (next->attempt > 1)) next = &row;
        }
        return next == nullptr ? std::nullopt : std::optional{next->key.number};
    }
    int begin_projects(const RequestKey&, const std::string&) override { return 0; }
    void call_off_project(const RequestKey&, const std::string&) override {}
    std::optional<std::string> search_on(const RequestKey&) override { return std::nullopt; }

    [[nodiscard]] static RequestId id(const RequestKey& key) { return {key.queue, key.number.value}; }
    Rows<RequestId, Request> rows;
};

class Queues final : public QueueStore {
public:
    explicit Queues(Requests& requests) : requests_{requests} {}

    Queue get(const std::string& name) override { return rows.at(name); }
    Queue lock(const std::string& name) override {
        if (before_lock) std::exchange(before_lock, {})();
        return rows.at(name);
    }
    void update(const Queue& queue, VersionChange versions) override {
        auto& row = rows.at(queue.name, versions.from);
        require(queue.last_green_request >= row.last_green_request, "the bookmark only moves forward");
        row.last_green_request = queue.last_green_request;
        row.last_green_uri = queue.last_green_uri;
        row.version = versions.to;
    }
    RequestNumber ingest(const std::string& name, std::string_view uri) override {
        auto& queue = rows.at(name);
        for (const auto& [number, request] : requests_.rows.all())
            if (number.first == name && request.uri == uri) return request.key.number;
        ++queue.latest_request.value;
        ++queue.version;
        Request request;
        request.key = {name, queue.latest_request};
        request.uri = uri;
        request.version = 1;
        requests_.rows.create(Requests::id(request.key), request);
        return queue.latest_request;
    }
    std::string note_promotion(const Queue&, PromotionOutcome) override { return "moved"; }

    Rows<std::string, Queue> rows;
    std::function<void()> before_lock;

private:
    Requests& requests_;
};

class Builds final : public BuildStore {
public:
    void create(const Build& build) override {
        if (find({build.key.queue, build.request}, build.project, build.run)) throw AlreadyExists{"that run has one"};
        auto row = build;
        row.version = 1;
        rows_.create(id(build.key), std::move(row));
    }
    Build get(const BuildKey& key) override { return rows_.at(id(key)); }
    void update(const Build& build, VersionChange versions) override {
        auto& row = rows_.at(id(build.key), versions.from);
        require(leads(row.status, build.status), "the end of a build is written once");
        if (is_terminal(row.status)) return;
        row.status = build.status;
        row.reason = build.reason;
        row.log_location = build.log_location;
        row.version = versions.to;
    }
    std::optional<std::string> find(const RequestKey& request, const std::string& project, int run) override {
        for (const auto& [key, row] : rows_.all())
            if (key.first == request.queue && row.request == request.number && row.project == project && row.run == run)
                return row.key.id;
        return std::nullopt;
    }
    std::optional<int> repeat(const BuildKey&) override { return std::nullopt; }
    void keep_target_graph(const BuildKey&, const std::string&) override {}

private:
    [[nodiscard]] static BuildId id(const BuildKey& key) { return {key.queue, key.id}; }
    Rows<BuildId, Build> rows_;
};

class Facts final : public FactStore {
public:
    void create(const Fact& fact) override { rows_.create(id(fact.key), fact); }
    Fact get(const FactKey& key) override { return rows_.at(id(key)); }
    void announce(const Fact& fact) override { announced.push_back(fact); }

    std::vector<Fact> announced;

private:
    [[nodiscard]] static FactId id(const FactKey& key) { return {key.queue, key.uri, key.project}; }
    Rows<FactId, Fact> rows_;
};

class Hooks final : public HookStore {
public:
    bool tell(const std::string&, const std::string&) override { return false; }
};

class CommandRuns final : public CommandRunStore {
public:
    std::string trigger(const CommandRun& run) override {
        auto row = run;
        row.key.id = "command/" + std::to_string(run.request.value);
        rows_.all().emplace(BuildId{row.key.queue, row.key.id}, row);
        return row.key.id;
    }
    Report report(const BuildKey& key) override {
        return {.status = row(key).status, .reason = {}, .target_graph = {}};
    }
    CommandRun start(const BuildKey& key) override { return row(key); }
    bool finish(const BuildKey& key, const CommandEnd& end) override { return change(key, end.status); }
    bool cancel(const BuildKey& key) override { return change(key, BuildStatus::cancelled); }
    std::string settings(const std::string&) override { return "{}"; }
    bool append_log(const RunKey&, const LogText&) override { return true; }

private:
    [[nodiscard]] CommandRun& row(const BuildKey& key) { return rows_.at(BuildId{key.queue, key.id}); }
    bool change(const BuildKey& key, BuildStatus status) {
        auto& run = row(key);
        if (is_terminal(run.status)) return false;
        run.status = status;
        return true;
    }
    Rows<BuildId, CommandRun> rows_;
};

}  // namespace

struct MemoryStores::All {
    Requests requests;
    Queues queues{requests};
    Builds builds;
    Facts facts;
    Hooks hooks;
    CommandRuns command_runs;
};

MemoryStores::MemoryStores() : all_{std::make_unique<All>()} {}

MemoryStores::~MemoryStores() = default;

void MemoryStores::add_queue(Queue queue) {
    const auto name = queue.name;
    all_->queues.rows.create(name, std::move(queue));
}

Stores MemoryStores::stores() {
    return {all_->queues, all_->requests, all_->builds, all_->facts, all_->hooks, all_->command_runs};
}

const std::vector<Fact>& MemoryStores::announced() const {
    return all_->facts.announced;
}

void MemoryStores::before_lock(std::function<void()> act) {
    all_->queues.before_lock = std::move(act);
}

void MemoryStores::want_again(const RequestKey& request) {
    auto& row = all_->requests.rows.at(Requests::id(request));
    row.state = RequestState::accepted;
    ++row.attempt;
    ++row.version;
}

void MemoryStores::finish(const BuildKey& build, BuildStatus status) {
    all_->command_runs.finish(build,
                              {.status = status, .reason = {}, .exit_code = {}, .log_tail = {}, .target_graph = {}});
}

}  // namespace millrace::testing
