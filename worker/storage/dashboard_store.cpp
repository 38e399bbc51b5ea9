#include "storage/dashboard_store.hpp"

#include "storage/translation.hpp"

#include <cstdint>

namespace millrace::storage {
namespace {

constexpr auto dead_statement =
    "select job_id, kind, attempt, error, extract(epoch from millrace.now() - discarded_at)::float8"
    "  from millrace.dead_letters where queue = $1 order by discarded_at desc, job_id desc limit $2";

constexpr auto schedules_statement =
    "select name, cron, time_zone, queue, kind, paused, extract(epoch from next_run_at - millrace.now())::float8,"
    "       extract(epoch from millrace.now() - last_fired_at)::float8, last_how, last_job, error"
    "  from millrace.schedules order by name limit $1";

template <class Value>
std::optional<Value> maybe(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional{field.as<Value>()};
}

}  // namespace

std::vector<DeadLetterRow> dead_letters(Session& session, const std::string& queue, int most) {
    std::vector<DeadLetterRow> letters;
    for (const auto& row : execute(session, dead_statement, queue, most)) {
        letters.push_back({.id = {row[0].as<std::int64_t>()},
                           .kind = row[1].c_str(),
                           .attempt = row[2].as<int>(),
                           .error = row[3].c_str(),
                           .age_seconds = row[4].as<double>()});
    }
    return letters;
}

std::vector<ScheduleGlance> schedules_at_a_glance(Session& session, int most) {
    std::vector<ScheduleGlance> schedules;
    for (const auto& row : execute(session, schedules_statement, most)) {
        ScheduleGlance schedule{.name = row[0].c_str(),
                                .cron = row[1].c_str(),
                                .time_zone = row[2].c_str(),
                                .queue = row[3].c_str(),
                                .kind = row[4].c_str(),
                                .is_paused = row[5].as<bool>(),
                                .seconds_to_go = maybe<double>(row[6]),
                                .last_age_seconds = maybe<double>(row[7]),
                                .last_how = maybe<std::string>(row[8]),
                                .last_job = {},
                                .error = maybe<std::string>(row[10])};
        if (!row[9].is_null()) schedule.last_job = core::JobId{row[9].as<std::int64_t>()};
        schedules.push_back(std::move(schedule));
    }
    return schedules;
}

}  // namespace millrace::storage
