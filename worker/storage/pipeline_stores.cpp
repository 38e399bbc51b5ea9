#include "storage/pipeline_stores.hpp"

#include "storage/translation.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>
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
    "select uri, state, build_strategy, base_uri, attempt, first_run, version from pipeline.get_request($1, $2)";
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

}  // namespace

Queue QueueStore::get(const std::string& name) {
    return queue_of(execute(transaction_, get_queue_statement, name), name);
}

Queue QueueStore::lock(const std::string& name) {
    return queue_of(execute(transaction_, lock_queue_statement, name), name);
}

void QueueStore::update(const Queue& queue, VersionChange versions) {
    require_version(execute(transaction_, "select pipeline.update_queue($1, $2, $3, $4, $5)", queue.name,
                            queue.last_green_request.value, queue.last_green_uri, versions.from, versions.to),
                    "pipeline queue " + queue.name);
}

RequestNumber QueueStore::ingest(const std::string& name, std::string_view uri) {
    return number(execute(transaction_, "select pipeline.ingest($1, $2)", name, std::string{uri}).at(0).at(0));
}

std::string QueueStore::note_promotion(const Queue& queue, PromotionOutcome outcome) {
    auto word = word_of(promotion_words, outcome);
    execute(transaction_, "select pipeline.note_promotion($1, $2, $3)", queue.name, queue.last_green_uri, word);
    return word;
}

Request RequestStore::get(const RequestKey& key) {
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
                    .version = row[6].as<std::int64_t>()};
    if (!row[2].is_null()) request.strategy = value_of<BuildStrategy>(strategy_words, row[2]);
    return request;
}

void RequestStore::update(const Request& request, VersionChange versions) {
    std::optional<std::string> strategy;
    if (request.strategy) strategy = word_of(strategy_words, *request.strategy);
    require_version(execute(transaction_, "select pipeline.update_request($1, $2, $3, $4, $5, $6, $7)",
                            request.key.queue, request.key.number.value, word_of(state_words, request.state), strategy,
                            request.base_uri, versions.from, versions.to),
                    shown(request.key));
}

int RequestStore::supersede_before(const RequestKey& key) {
    return execute(transaction_, "select pipeline.supersede_before($1, $2)", key.queue, key.number.value)
        .at(0)
        .at(0)
        .as<int>();
}

std::int64_t RequestStore::count_processing(const std::string& queue) {
    return execute(transaction_, "select pipeline.count_processing($1)", queue).at(0).at(0).as<std::int64_t>();
}

std::optional<RequestNumber> RequestStore::latest_accepted(const std::string& queue) {
    const auto rows = execute(transaction_, "select pipeline.latest_accepted($1)", queue);
    return rows.at(0).at(0).is_null() ? std::nullopt : std::optional{number(rows.at(0).at(0))};
}

int RequestStore::begin_projects(const RequestKey& key, const std::string& build) {
    return execute(transaction_, "select pipeline.analyze_request($1, $2, $3)", key.queue, key.number.value, build)
        .at(0)
        .at(0)
        .as<int>();
}

void RequestStore::call_off_project(const RequestKey& key, const std::string& project) {
    execute(transaction_, "select pipeline.settle_project($1, $2, $3, 'cancelled')", key.queue, key.number.value,
            project);
}

std::optional<std::string> RequestStore::search_on(const RequestKey& key) {
    const auto rows = execute(transaction_, "select pipeline.bisect_step($1, $2)", key.queue, key.number.value);
    return optional_text(rows.at(0).at(0));
}

void BuildStore::create(const Build& build) {
    require_creation(execute(transaction_, "select pipeline.create_build($1, $2, $3, $4, $5, $6)", build.key.queue,
                             build.key.id, build.request.value, build.project, build.run, unless_empty(build.commit)),
                     shown(build.key));
}

Build BuildStore::get(const BuildKey& key) {
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
}

void BuildStore::update(const Build& build, VersionChange versions) {
    require_version(execute(transaction_, "select pipeline.update_build($1, $2, $3, $4, $5, $6, $7)", build.key.queue,
                            build.key.id, word_of(status_words, build.status), unless_empty(build.reason),
                            unless_empty(build.log_location), versions.from, versions.to),
                    shown(build.key));
}

std::optional<std::string> BuildStore::find(const RequestKey& request, const std::string& project, int run) {
    const auto rows = execute(transaction_, "select pipeline.build_of($1, $2, $3, $4)", request.queue,
                              request.number.value, project, run);
    return optional_text(rows.at(0).at(0));
}

std::optional<int> BuildStore::repeat(const BuildKey& key) {
    const auto rows = execute(transaction_, "select pipeline.rerun_build($1, $2)", key.queue, key.id);
    return rows.at(0).at(0).is_null() ? std::nullopt : std::optional{rows.at(0).at(0).as<int>()};
}

void BuildStore::keep_target_graph(const BuildKey& key, const std::string& graph) {
    execute(transaction_, "select pipeline.set_target_graph($1, $2, $3::jsonb)", key.queue, key.id, graph);
}

void FactStore::create(const Fact& fact) {
    require_creation(
        execute(transaction_, "select pipeline.create_fact($1, $2, $3, $4::float8::numeric, $5, $6)", fact.key.queue,
                fact.key.uri, fact.key.project, fact.degree, fact.request.value, fact.is_flaky),
        shown(fact.key));
}

Fact FactStore::get(const FactKey& key) {
    const auto rows =
        execute(transaction_, "select degree::float8, request, is_flaky from pipeline.get_fact($1, $2, $3)", key.queue,
                key.uri, key.project);
    require_row(rows, shown(key));
    const auto row = rows.at(0);
    return {.key = key, .degree = row[0].as<double>(), .request = number(row[1]), .is_flaky = row[2].as<bool>()};
}

void FactStore::announce(const Fact& fact) {
    execute(transaction_, "select pipeline.announce($1, $2, $3)", fact.key.queue, fact.request.value, fact.key.project);
}

std::string CommandRunStore::trigger(const CommandRun& run) {
    return execute(transaction_, "select pipeline.trigger_command($1, $2, $3, $4, $5, $6)", run.key.queue,
                   run.request.value, run.project, run.base_uri, run.head_uri, run.run)
        .at(0)
        .at(0)
        .c_str();
}

CommandRunStore::Report CommandRunStore::report(const BuildKey& key) {
    const auto rows = execute(transaction_, "select status, reason, target_graph from pipeline.command_status($1, $2)",
                              key.queue, key.id);
    require_row(rows, shown(key));
    return {.status = value_of<BuildStatus>(status_words, rows.at(0).at(0)),
            .reason = rows.at(0).at(1).c_str(),
            .target_graph = optional_text(rows.at(0).at(2))};
}

CommandRun CommandRunStore::start(const BuildKey& key) {
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
}

bool CommandRunStore::finish(const BuildKey& key, const CommandEnd& end) {
    return execute(transaction_, "select pipeline.finish_command($1, $2, $3, $4, $5, $6, $7::jsonb)", key.queue, key.id,
                   word_of(status_words, end.status), end.reason, end.exit_code, end.log_tail, end.target_graph)
        .at(0)
        .at(0)
        .as<bool>();
}

std::string CommandRunStore::settings(const std::string& queue) {
    return execute(transaction_, "select pipeline.runner_settings($1)", queue).at(0).at(0).c_str();
}

bool CommandRunStore::append_log(const RunKey& run, const LogText& text) {
    return execute(transaction_, "select pipeline.append_command_log($1, $2, $3, $4, $5)", run.build.queue,
                   run.build.id, run.attempt, text.position, text.text)
        .at(0)
        .at(0)
        .as<bool>();
}

bool HookStore::tell(const std::string& event, const std::string& sink) {
    return execute(transaction_, "select pipeline.tell($1, $2)", event, sink).at(0).at(0).as<bool>();
}

bool CommandRunStore::cancel(const BuildKey& key) {
    return execute(transaction_, "select pipeline.cancel_command($1, $2)", key.queue, key.id).at(0).at(0).as<bool>();
}

}  // namespace millrace::storage::pipeline
