#include "storage/pipeline_overview.hpp"

#include "storage/interval.hpp"
#include "storage/translation.hpp"

namespace millrace::storage {
namespace {

constexpr auto queues_statement =
    "select name, remote, ref, waiting, processing, latest_request, last_green_request, last_green_uri,"
    " extract(epoch from millrace.now() - looked_at)::float8 from pipeline.queues order by name";

constexpr auto requests_statement =
    "select number, uri, state, verdict, trim_scale(roll_up), build_strategy, culprit_uri, reason,"
    " to_char(accepted_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    " extract(epoch from millrace.now() - accepted_at)::float8"
    " from pipeline.requests where queue = $1 order by number desc limit $2";

constexpr auto numbers_statement =
    "select queue, accepted, processing, succeeded, failed, cancelled, superseded,"
    " extract(epoch from last_green_committed_at)::float8, extract(epoch from break_undetected)::float8,"
    " extract(epoch from validation_time)::float8 from pipeline.overview()";

std::optional<std::string> text(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional<std::string>{field.c_str()};
}

}  // namespace

std::vector<PipelineChange> PipelineOverview::apply(const std::string& document, Apply how) {
    std::vector<PipelineChange> changes;
    for (const auto& row :
         execute(session_, "select name, outcome, to_jsonb(changed) from pipeline.apply($1::jsonb, dry_run => $2)",
                 document, how == Apply::dry_run))
        changes.push_back({row[0].c_str(), row[1].c_str(), row[2].c_str()});
    return changes;
}

std::string PipelineOverview::export_document() {
    return execute(session_, "select pipeline.export()").at(0).at(0).c_str();
}

std::vector<PipelineRow> PipelineOverview::queues() {
    std::vector<PipelineRow> queues;
    for (const auto& row : execute(session_, queues_statement)) {
        queues.push_back({.name = row[0].c_str(),
                          .remote = row[1].c_str(),
                          .ref = row[2].c_str(),
                          .waiting = row[3].as<std::int64_t>(),
                          .processing = row[4].as<std::int64_t>(),
                          .latest_request = row[5].as<std::int64_t>(),
                          .last_green_request = row[6].as<std::int64_t>(),
                          .last_green_uri = text(row[7]),
                          .looked_seconds_ago = row[8].is_null() ? std::nullopt : std::optional{row[8].as<double>()}});
    }
    return queues;
}

std::vector<PipelineNumbers> PipelineOverview::numbers() {
    std::vector<PipelineNumbers> queues;
    for (const auto& row : execute(session_, numbers_statement)) {
        queues.push_back({.queue = row[0].c_str(),
                          .accepted = row[1].as<std::int64_t>(),
                          .processing = row[2].as<std::int64_t>(),
                          .succeeded = row[3].as<std::int64_t>(),
                          .failed = row[4].as<std::int64_t>(),
                          .cancelled = row[5].as<std::int64_t>(),
                          .superseded = row[6].as<std::int64_t>(),
                          .last_green_committed_at = row[7].as<std::optional<double>>(),
                          .break_undetected_seconds = row[8].as<std::optional<double>>(),
                          .validation_seconds = row[9].as<std::optional<double>>()});
    }
    return queues;
}

std::vector<PipelineRequestRow> PipelineOverview::requests(const std::string& queue, int limit) {
    std::vector<PipelineRequestRow> requests;
    for (const auto& row : execute(session_, requests_statement, queue, limit)) {
        requests.push_back({.number = row[0].as<std::int64_t>(),
                            .uri = row[1].c_str(),
                            .state = row[2].c_str(),
                            .verdict = row[3].c_str(),
                            .roll_up = text(row[4]),
                            .strategy = text(row[5]),
                            .culprit = text(row[6]),
                            .reason = text(row[7]),
                            .accepted_at = row[8].c_str(),
                            .age_seconds = row[9].as<double>()});
    }
    return requests;
}

std::optional<GateAnswer> PipelineOverview::gate(const GateQuestion& question) {
    std::optional<std::string> max_age;
    if (question.max_age) max_age = interval_text(*question.max_age);
    const auto rows =
        execute(session_, "select verdict, uri, state, is_final from pipeline.gate($1, $2, $3, $4::interval)",
                question.queue, question.commit, question.project, max_age);
    if (rows.empty()) return std::nullopt;
    const auto row = rows.at(0);
    return GateAnswer{row[0].c_str(), row[1].c_str(), row[2].c_str(), row[3].as<bool>()};
}

int PipelineOverview::revalidate(const std::string& queue, const std::string& uri, const std::string& reason) {
    return execute(session_, "select pipeline.revalidate($1, $2, $3)", queue, uri, reason).at(0).at(0).as<int>();
}

}  // namespace millrace::storage
