#include "storage/pipeline_tables.hpp"

#include "core/finally.hpp"
#include "storage/array_literal.hpp"
#include "storage/translation.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <type_traits>
#include <utility>

namespace millrace::storage::pipeline {
namespace {

#define MILLISECONDS(interval) "(extract(epoch from " interval ") * 1000)::bigint"
#define QUEUE_COLUMNS \
    "select name, job_queue, source_control, source_settings, build_runner, max_concurrent, " MILLISECONDS( \
        "max_validation") ", " MILLISECONDS("poll_accepted") ", " MILLISECONDS(                          \
        "poll_running") ", latest_request, last_green_request, last_green_uri, promotion_ref, version"

constexpr auto get_queue_statement = QUEUE_COLUMNS " from pipeline.get_queue($1)";
constexpr auto lock_queue_statement = QUEUE_COLUMNS " from pipeline.lock_queue($1)";
constexpr auto get_request_statement =
    "select uri, state, build_strategy, base_uri, attempt, first_run, version,"
    " extract(epoch from committed_at)::bigint, reason is not null from pipeline.get_request($1, $2)";
constexpr auto update_request_statement =
    "select pipeline.update_request($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::bigint))";
constexpr auto get_build_statement =
    "select request, project, run, commit, status, reason, log_location, is_current, is_repeated, "
    "version, " MILLISECONDS("age") " from pipeline.get_build($1, $2)";
constexpr auto start_command_statement =
    "select request, project, base_uri, head_uri, array_to_json(argv), " MILLISECONDS(
        "time_limit") ", status, attempt, coalesce(memory_limit, 0), output_limit, coalesce(disk_limit, 0)"
                      " from pipeline.start_command($1, $2)";

#undef QUEUE_COLUMNS
#undef MILLISECONDS

// Words of the schema, in the order of the enumerators.
constexpr std::array<std::string_view, 6> state_words{"accepted", "processing", "succeeded",
                                                      "failed",   "cancelled",  "superseded"};
constexpr std::array<std::string_view, 2> strategy_words{"full", "incremental_since_green"};
constexpr std::array<std::string_view, 3> promotion_words{"moved", "was_there", "vanished"};
constexpr std::array<std::string_view, 5> status_words{"accepted", "running", "succeeded", "failed", "cancelled"};

template <class Enum, std::size_t size>
std::string word_of(const std::array<std::string_view, size>& words, Enum value) {
    return std::string{words.at(static_cast<std::size_t>(value))};
}

template <class Enum, std::size_t size>
Enum value_of(const std::array<std::string_view, size>& words, const pqxx::field& field) {
    const auto found = std::find(words.begin(), words.end(), std::string_view{field.c_str()});
    if (found == words.end()) throw std::runtime_error{std::string{"not a word of this program: "} + field.c_str()};
    return static_cast<Enum>(found - words.begin());
}

std::optional<std::string> optional_text(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional<std::string>{field.c_str()};
}

std::chrono::milliseconds milliseconds(const pqxx::field& field) {
    return std::chrono::milliseconds{field.as<std::int64_t>()};
}

std::chrono::sys_seconds seconds(const pqxx::field& field) {
    return std::chrono::sys_seconds{std::chrono::seconds{field.as<std::int64_t>()}};
}

RequestNumber number(const pqxx::field& field) {
    return {field.as<std::int64_t>()};
}

std::string shown(const RequestKey& key) {
    return "request " + std::to_string(key.number.value) + " of " + key.queue;
}
std::string shown(const BuildKey& key) {
    return "build " + key.id + " of " + key.queue;
}
std::string shown(const FactKey& key) {
    return "fact of " + key.uri + " in " + key.queue;
}

void require_row(const pqxx::result& rows, const std::string& what) {
    if (rows.empty()) throw NotFound{what + " does not exist"};
}

void require_version(const pqxx::result& rows, const std::string& what) {
    if (!rows.at(0).at(0).as<bool>()) throw VersionMismatch{what + " has been written by somebody else meanwhile"};
}

void require_creation(const pqxx::result& rows, const std::string& what) {
    if (!rows.at(0).at(0).as<bool>()) throw AlreadyExists{what + " exists"};
}

Queue queue_of(const pqxx::result& rows, const std::string& name) {
    require_row(rows, "pipeline queue " + name);
    const auto row = rows.at(0);
    return {.name = row[0].c_str(),
            .job_queue = row[1].c_str(),
            .source_control = row[2].c_str(),
            .source_settings = row[3].c_str(),
            .build_runner = row[4].c_str(),
            .max_concurrent = row[5].as<int>(),
            .max_validation = milliseconds(row[6]),
            .poll_accepted = milliseconds(row[7]),
            .poll_running = milliseconds(row[8]),
            .latest_request = number(row[9]),
            .last_green_request = number(row[10]),
            .last_green_uri = optional_text(row[11]),
            .promotion_ref = optional_text(row[12]),
            .version = row[13].as<std::int64_t>()};
}

// What they have in common: the transaction, and who counts.
class Table {
protected:
    Table(Transaction& transaction, StoreCounts& counts, std::string_view store)
        : transaction_{transaction}, counts_{counts}, store_{store} {}

    // What ends otherwise than a store may refuse has failed.
    template <class Operation>
    auto measured(std::string_view name, const Operation& operation) {
        std::string_view outcome = "failed";
        const core::Finally count{[&, began = Clock::now()] {
            counts_.add({store_, name, outcome}, Clock::now() - began);
        }};
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<const Operation&>>) {
                operation();
                outcome = "done";
            } else {
                auto answer = operation();
                outcome = "done";
                return answer;
            }
        } catch (const NotFound&) {
            outcome = "not_found";
            throw;
        } catch (const AlreadyExists&) {
            outcome = "already_exists";
            throw;
        } catch (const VersionMismatch&) {
            outcome = "version_mismatch";
            throw;
        }
    }

    Transaction& transaction_;

private:
    using Clock = std::chrono::steady_clock;

    StoreCounts& counts_;
    const std::string_view store_;
};

class Queues final : public QueueStore, private Table {
public:
    Queues(Transaction& transaction, StoreCounts& counts) : Table{transaction, counts, "queues"} {}

    Queue get(const std::string& name) override {
        return measured("get",
                        [&]() -> Queue { return queue_of(execute(transaction_, get_queue_statement, name), name); });
    }

    Queue lock(const std::string& name) override {
        return measured("lock",
                        [&]() -> Queue { return queue_of(execute(transaction_, lock_queue_statement, name), name); });
    }

    void update(const Queue& queue, VersionChange versions) override {
        measured("update", [&] {
            require_version(execute(transaction_, "select pipeline.update_queue($1, $2, $3, $4, $5)", queue.name,
                                    queue.last_green_request.value, queue.last_green_uri, versions.from, versions.to),
                            "pipeline queue " + queue.name);
        });
    }

    RequestNumber ingest(const std::string& name, std::string_view uri) override {
        return measured("ingest", [&]() -> RequestNumber {
            return number(execute(transaction_, "select pipeline.ingest($1, $2)", name, std::string{uri}).at(0).at(0));
        });
    }

    std::string note_promotion(const Queue& queue, PromotionOutcome outcome) override {
        return measured("note_promotion", [&]() -> std::string {
            auto word = word_of(promotion_words, outcome);
            execute(transaction_, "select pipeline.note_promotion($1, $2, $3)", queue.name, queue.last_green_uri, word);
            return word;
        });
    }
};

class Requests final : public RequestStore, private Table {
public:
    Requests(Transaction& transaction, StoreCounts& counts) : Table{transaction, counts, "requests"} {}

    Request get(const RequestKey& key) override {
        return measured("get", [&]() -> Request {
            const auto rows = execute(transaction_, get_request_statement, key.queue, key.number.value);
            require_row(rows, shown(key));
            const auto row = rows.at(0);
            Request request{.key = key,
                            .uri = row[0].c_str(),
                            .state = value_of<RequestState>(state_words, row[1]),
                            .strategy = {},
                            .base_uri = optional_text(row[3]),
                            .attempt = row[4].as<int>(),
                            .first_run = row[5].as<int>(),
                            .committed = {},
                            .is_failed_closed = row[8].as<bool>(),
                            .version = row[6].as<std::int64_t>()};
            if (!row[7].is_null()) request.committed = seconds(row[7]);
            if (!row[2].is_null()) request.strategy = value_of<BuildStrategy>(strategy_words, row[2]);
            return request;
        });
    }

    void update(const Request& request, VersionChange versions) override {
        measured("update", [&] {
            std::optional<std::int64_t> committed;
            if (request.committed) committed = request.committed->time_since_epoch().count();
            std::optional<std::string> strategy;
            if (request.strategy) strategy = word_of(strategy_words, *request.strategy);
            require_version(execute(transaction_, update_request_statement, request.key.queue, request.key.number.value,
                                    word_of(state_words, request.state), strategy, request.base_uri, versions.from,
                                    versions.to, committed),
                            shown(request.key));
        });
    }

    void note_history(const RequestKey& key, const std::vector<std::string>& uris) override {
        measured("note_history", [&] {
            ArrayLiteral listed;
            for (const auto& uri : uris)
                listed.add(uri);
            execute(transaction_, "select pipeline.note_history($1, $2, $3::text[])", key.queue, key.number.value,
                    listed.text());
        });
    }

    int supersede_before(const RequestKey& key) override {
        return measured("supersede_before", [&]() -> int {
            return execute(transaction_, "select pipeline.supersede_before($1, $2)", key.queue, key.number.value)
                .at(0)
                .at(0)
                .as<int>();
        });
    }

    std::int64_t count_processing(const std::string& queue) override {
        return measured("count_processing", [&]() -> std::int64_t {
            return execute(transaction_, "select pipeline.count_processing($1)", queue).at(0).at(0).as<std::int64_t>();
        });
    }

    std::optional<RequestNumber> latest_accepted(const std::string& queue) override {
        return measured("latest_accepted", [&]() -> std::optional<RequestNumber> {
            const auto rows = execute(transaction_, "select pipeline.latest_accepted($1)", queue);
            return rows.at(0).at(0).is_null() ? std::nullopt : std::optional{number(rows.at(0).at(0))};
        });
    }

    int begin_projects(const RequestKey& key, const std::string& build) override {
        return measured("begin_projects", [&]() -> int {
            return execute(transaction_, "select pipeline.analyze_request($1, $2, $3)", key.queue, key.number.value,
                           build)
                .at(0)
                .at(0)
                .as<int>();
        });
    }

    void call_off_project(const RequestKey& key, const std::string& project) override {
        measured("call_off_project", [&] {
            execute(transaction_, "select pipeline.settle_project($1, $2, $3, 'cancelled')", key.queue,
                    key.number.value, project);
        });
    }

    std::optional<std::string> search_on(const RequestKey& key) override {
        return measured("search_on", [&]() -> std::optional<std::string> {
            const auto rows = execute(transaction_, "select pipeline.bisect_step($1, $2)", key.queue, key.number.value);
            return optional_text(rows.at(0).at(0));
        });
    }
};

class Builds final : public BuildStore, private Table {
public:
    Builds(Transaction& transaction, StoreCounts& counts) : Table{transaction, counts, "builds"} {}

    void create(const Build& build) override {
        measured("create", [&] {
            require_creation(
                execute(transaction_, "select pipeline.create_build($1, $2, $3, $4, $5, $6)", build.key.queue,
                        build.key.id, build.request.value, build.project, build.run, unless_empty(build.commit)),
                shown(build.key));
        });
    }

    Build get(const BuildKey& key) override {
        return measured("get", [&]() -> Build {
            const auto rows = execute(transaction_, get_build_statement, key.queue, key.id);
            require_row(rows, shown(key));
            const auto row = rows.at(0);
            return {.key = key,
                    .request = number(row[0]),
                    .project = row[1].c_str(),
                    .run = row[2].as<int>(),
                    .commit = row[3].c_str(),
                    .status = value_of<BuildStatus>(status_words, row[4]),
                    .reason = row[5].c_str(),
                    .log_location = row[6].c_str(),
                    .is_current = row[7].as<bool>(),
                    .is_repeated = row[8].as<bool>(),
                    .version = row[9].as<std::int64_t>(),
                    .age = milliseconds(row[10])};
        });
    }

    void update(const Build& build, VersionChange versions) override {
        measured("update", [&] {
            require_version(
                execute(transaction_, "select pipeline.update_build($1, $2, $3, $4, $5, $6, $7)", build.key.queue,
                        build.key.id, word_of(status_words, build.status), unless_empty(build.reason),
                        unless_empty(build.log_location), versions.from, versions.to),
                shown(build.key));
        });
    }

    std::optional<std::string> find(const RequestKey& request, const std::string& project, int run) override {
        return measured("find", [&]() -> std::optional<std::string> {
            const auto rows = execute(transaction_, "select pipeline.build_of($1, $2, $3, $4)", request.queue,
                                      request.number.value, project, run);
            return optional_text(rows.at(0).at(0));
        });
    }

    std::optional<int> repeat(const BuildKey& key) override {
        return measured("repeat", [&]() -> std::optional<int> {
            const auto rows = execute(transaction_, "select pipeline.rerun_build($1, $2)", key.queue, key.id);
            return rows.at(0).at(0).is_null() ? std::nullopt : std::optional{rows.at(0).at(0).as<int>()};
        });
    }

    void keep_target_graph(const BuildKey& key, const std::string& graph) override {
        measured("keep_target_graph", [&] {
            execute(transaction_, "select pipeline.set_target_graph($1, $2, $3::jsonb)", key.queue, key.id, graph);
        });
    }
};

class Facts final : public FactStore, private Table {
public:
    Facts(Transaction& transaction, StoreCounts& counts) : Table{transaction, counts, "facts"} {}

    void create(const Fact& fact) override {
        measured("create", [&] {
            require_creation(
                execute(transaction_, "select pipeline.create_fact($1, $2, $3, $4::float8::numeric, $5, $6)",
                        fact.key.queue, fact.key.uri, fact.key.project, fact.degree, fact.request.value, fact.is_flaky),
                shown(fact.key));
        });
    }

    Fact get(const FactKey& key) override {
        return measured("get", [&]() -> Fact {
            const auto rows =
                execute(transaction_, "select degree::float8, request, is_flaky from pipeline.get_fact($1, $2, $3)",
                        key.queue, key.uri, key.project);
            require_row(rows, shown(key));
            const auto row = rows.at(0);
            return {
                .key = key, .degree = row[0].as<double>(), .request = number(row[1]), .is_flaky = row[2].as<bool>()};
        });
    }

    void announce(const Fact& fact) override {
        measured("announce", [&] {
            execute(transaction_, "select pipeline.announce($1, $2, $3)", fact.key.queue, fact.request.value,
                    fact.key.project);
        });
    }
};

class CommandRuns final : public CommandRunStore, private Table {
public:
    CommandRuns(Transaction& transaction, StoreCounts& counts) : Table{transaction, counts, "command_runs"} {}

    std::string trigger(const CommandRun& run) override {
        return measured("trigger", [&]() -> std::string {
            return execute(transaction_, "select pipeline.trigger_command($1, $2, $3, $4, $5, $6)", run.key.queue,
                           run.request.value, run.project, run.base_uri, run.head_uri, run.run)
                .at(0)
                .at(0)
                .c_str();
        });
    }

    Report report(const BuildKey& key) override {
        return measured("report", [&]() -> Report {
            const auto rows =
                execute(transaction_, "select status, reason, target_graph from pipeline.command_status($1, $2)",
                        key.queue, key.id);
            require_row(rows, shown(key));
            return {.status = value_of<BuildStatus>(status_words, rows.at(0).at(0)),
                    .reason = rows.at(0).at(1).c_str(),
                    .target_graph = optional_text(rows.at(0).at(2))};
        });
    }

    CommandRun start(const BuildKey& key) override {
        return measured("start", [&]() -> CommandRun {
            const auto rows = execute(transaction_, start_command_statement, key.queue, key.id);
            require_row(rows, shown(key));
            const auto row = rows.at(0);
            return {.key = key,
                    .request = number(row[0]),
                    .project = row[1].c_str(),
                    .base_uri = optional_text(row[2]),
                    .head_uri = row[3].c_str(),
                    .argv = nlohmann::json::parse(row[4].c_str()).get<std::vector<std::string>>(),
                    .time_limit = milliseconds(row[5]),
                    .status = value_of<BuildStatus>(status_words, row[6]),
                    .attempt = row[7].as<int>(),
                    .memory_limit = row[8].as<std::uint64_t>(),
                    .output_limit = row[9].as<std::uint64_t>(),
                    .disk_limit = row[10].as<std::uint64_t>()};
        });
    }

    bool finish(const BuildKey& key, const CommandEnd& end) override {
        return measured("finish", [&]() -> bool {
            return execute(transaction_, "select pipeline.finish_command($1, $2, $3, $4, $5, $6, $7::jsonb)", key.queue,
                           key.id, word_of(status_words, end.status), end.reason, end.exit_code, end.log_tail,
                           end.target_graph)
                .at(0)
                .at(0)
                .as<bool>();
        });
    }

    std::string settings(const std::string& queue) override {
        return measured("settings", [&]() -> std::string {
            return execute(transaction_, "select pipeline.runner_settings($1)", queue).at(0).at(0).c_str();
        });
    }

    bool append_log(const RunKey& run, const LogText& text) override {
        return measured("append_log", [&]() -> bool {
            return execute(transaction_, "select pipeline.append_command_log($1, $2, $3, $4, $5)", run.build.queue,
                           run.build.id, run.attempt, text.position, text.text)
                .at(0)
                .at(0)
                .as<bool>();
        });
    }

    bool cancel(const BuildKey& key) override {
        return measured("cancel", [&]() -> bool {
            return execute(transaction_, "select pipeline.cancel_command($1, $2)", key.queue, key.id)
                .at(0)
                .at(0)
                .as<bool>();
        });
    }
};

class Hooks final : public HookStore, private Table {
public:
    Hooks(Transaction& transaction, StoreCounts& counts) : Table{transaction, counts, "hooks"} {}

    bool tell(const std::string& event, const std::string& sink) override {
        return measured("tell", [&]() -> bool {
            return execute(transaction_, "select pipeline.tell($1, $2)", event, sink).at(0).at(0).as<bool>();
        });
    }
};

}  // namespace

struct Tables::All {
    All(Transaction& transaction, StoreCounts& counts)
        : queues{transaction, counts},
          requests{transaction, counts},
          builds{transaction, counts},
          facts{transaction, counts},
          hooks{transaction, counts},
          command_runs{transaction, counts} {}
    Queues queues;
    Requests requests;
    Builds builds;
    Facts facts;
    Hooks hooks;
    CommandRuns command_runs;
};

Tables::Tables(Transaction& transaction, StoreCounts& counts) : all_{std::make_unique<All>(transaction, counts)} {}

Tables::~Tables() = default;

Stores Tables::stores() {
    return {all_->queues, all_->requests, all_->builds, all_->facts, all_->hooks, all_->command_runs};
}

}  // namespace millrace::storage::pipeline
