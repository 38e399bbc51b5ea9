#include "storage/live_view.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {

namespace {

constexpr auto running_statement =
    "select id, queue, kind, coalesce(worker, ''), attempt, max_attempts,"
    "       extract(epoch from millrace.now() - claimed_at)::float8, (progress ->> 'percent')::int,"
    "       progress ->> 'message', cancelling is not null"
    "  from millrace.running_jobs where $2::text is null or queue = $2 order by claimed_at, id limit $1";

constexpr auto workers_statement =
    "select name, state, array_to_string(queues, ' '), coalesce(version, ''),"
    "       extract(epoch from millrace.now() - heartbeat_at)::float8,"
    "       extract(epoch from millrace.now() - started_at)::float8"
    "  from millrace.workers where ended_at is null order by heartbeat_at, name limit $1";

std::vector<RunningRow> running(Session& session, const std::optional<std::string>& queue, int most) {
    std::vector<RunningRow> jobs;
    for (const auto& row : execute(session, running_statement, most, queue)) {
        RunningRow job{.id = {row[0].as<std::int64_t>()},
                       .queue = row[1].c_str(),
                       .kind = row[2].c_str(),
                       .worker = row[3].c_str(),
                       .attempt = row[4].as<int>(),
                       .max_attempts = row[5].as<int>(),
                       .seconds = row[6].as<double>(),
                       .percent = {},
                       .message = {},
                       .is_cancelling = row[9].as<bool>()};
        if (!row[7].is_null()) job.percent = row[7].as<int>();
        if (!row[8].is_null()) job.message = row[8].c_str();
        jobs.push_back(std::move(job));
    }
    return jobs;
}

}  // namespace

LiveView live_view(Session& session, int most) {
    LiveView view;
    view.database = execute(session, "select current_database()").at(0).at(0).c_str();
    view.running = running(session, std::nullopt, most);
    for (const auto& row : execute(session, workers_statement, most)) {
        view.workers.push_back({.name = row[0].c_str(),
                                .state = row[1].c_str(),
                                .queues = row[2].c_str(),
                                .version = row[3].c_str(),
                                .heartbeat_age_seconds = row[4].as<double>(),
                                .age_seconds = row[5].as<double>()});
    }
    return view;
}

std::vector<RunningRow> running_jobs(Session& session, const std::string& queue, int most) {
    return running(session, queue, most);
}

}  // namespace millrace::storage
