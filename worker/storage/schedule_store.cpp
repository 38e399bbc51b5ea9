#include "storage/schedule_store.hpp"

#include "storage/interval.hpp"
#include "storage/translation.hpp"

namespace millrace::storage {

namespace {

#define ISO(column) "to_char(" column " at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

constexpr auto list_statement =
    "select name, cron, time_zone, queue, kind, payload, misfire, jitter, paused, " ISO(
        "next_run_at") ", extract(epoch from next_run_at - millrace.now())::float8, " ISO("last_due_at") ", " ISO(
        "last_fired_at") ", extract(epoch from millrace.now() - last_fired_at)::float8, last_how, last_job, error,"
                         " due_key, priority, max_attempts, timeout, " ISO("created_at") ", " ISO(
                             "changed_at") "  from millrace.schedules where $1::text is null or name = $1"
                                           " order by name";

constexpr auto runs_statement = "select " ISO("due_at") ", " ISO("fired_at") ", how, times, job_id"
                                "  from millrace.schedule_runs where schedule = $1"
                                " order by schedule_runs.fired_at desc, schedule_runs.due_at desc limit $2";

constexpr auto next_runs_statement =
    "select " ISO("run_at") ", to_char(run_at at time zone $2, 'Dy YYYY-MM-DD HH24:MI')"
    "  from millrace.next_runs($1, $2, n => $3)";

constexpr auto create_statement =
    "select outcome, to_jsonb(changed),"
    " case when not coalesce((select s.paused from millrace.schedules s where s.name = $1), false) then " ISO(
        "next_run_at") " end"
    "  from millrace.create_schedule(name => $1, cron => $2, queue => $3, kind => $4, payload => $5::jsonb,"
    " time_zone => $6, misfire => $7, jitter => $8::interval, priority => $9, max_attempts => $10,"
    " timeout => $11::interval, due_key => $12)";

#undef ISO

// Whether it changes anything is seen in the statement that does it.
constexpr auto pause_statement =
    "select (select paused from millrace.schedules where name = $1), millrace.pause_schedule($1)";
constexpr auto resume_statement =
    "select (select paused from millrace.schedules where name = $1), millrace.resume_schedule($1)";

std::optional<std::string> text(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional<std::string>{field.c_str()};
}

template <class Number>
std::optional<Number> number(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional{field.as<Number>()};
}

ScheduleRow read_row(const pqxx::row& row) {
    return {.name = row[0].c_str(),
            .cron = row[1].c_str(),
            .time_zone = row[2].c_str(),
            .queue = row[3].c_str(),
            .kind = row[4].c_str(),
            .payload = row[5].c_str(),
            .misfire = row[6].c_str(),
            .jitter = row[7].c_str(),
            .paused = row[8].as<bool>(),
            .next_run_at = text(row[9]),
            .seconds_to_go = number<double>(row[10]),
            .last_due_at = text(row[11]),
            .last_fired_at = text(row[12]),
            .last_age_seconds = number<double>(row[13]),
            .last_how = text(row[14]),
            .last_job = number<std::int64_t>(row[15]),
            .error = text(row[16]),
            .due_key = text(row[17]),
            .priority = row[18].as<int>(),
            .max_attempts = number<int>(row[19]),
            .timeout = text(row[20]),
            .created_at = row[21].c_str(),
            .changed_at = row[22].c_str()};
}

}  // namespace

std::vector<ScheduleRow> ScheduleStore::schedules() {
    std::vector<ScheduleRow> schedules;
    for (const auto& row : execute(session_, list_statement, std::optional<std::string>{}))
        schedules.push_back(read_row(row));
    return schedules;
}

std::optional<ScheduleRow> ScheduleStore::schedule(const std::string& name) {
    const auto found = execute(session_, list_statement, std::optional{name});
    return found.empty() ? std::nullopt : std::optional{read_row(found.at(0))};
}

std::vector<ScheduleRun> ScheduleStore::runs(const std::string& name, int limit) {
    std::vector<ScheduleRun> runs;
    for (const auto& row : execute(session_, runs_statement, name, limit)) {
        runs.push_back({.due_at = row[0].c_str(),
                        .fired_at = row[1].c_str(),
                        .how = row[2].c_str(),
                        .times = row[3].as<std::int64_t>(),
                        .job = number<std::int64_t>(row[4])});
    }
    return runs;
}

std::vector<NextRun> ScheduleStore::next_runs(const std::string& cron, const std::string& time_zone, int count) {
    std::vector<NextRun> runs;
    for (const auto& row : execute(session_, next_runs_statement, cron, time_zone, count))
        runs.push_back({.at = row[0].c_str(), .shown = row[1].c_str()});
    return runs;
}

ScheduleChange ScheduleStore::create(const ScheduleOrder& order) {
    const auto timeout = order.timeout ? std::optional{interval_text(*order.timeout)} : std::nullopt;
    const auto row = execute(session_, create_statement, order.name, order.cron, order.queue, order.kind, order.payload,
                             order.time_zone, order.misfire, interval_text(order.jitter), order.priority,
                             order.max_attempts, timeout, order.due_key)
                         .at(0);
    return {.outcome = row[0].c_str(), .changed = row[1].c_str(), .next_run_at = text(row[2])};
}

bool ScheduleStore::pause(const std::string& name) {
    const auto row = execute(session_, pause_statement, name).at(0);
    return !row[0].is_null() && !row[0].as<bool>();
}

bool ScheduleStore::resume(const std::string& name) {
    const auto row = execute(session_, resume_statement, name).at(0);
    return !row[0].is_null() && row[0].as<bool>();
}

core::JobId ScheduleStore::run_now(const std::string& name) {
    return {execute(session_, "select millrace.run_schedule_now($1)", name).at(0).at(0).as<std::int64_t>()};
}

void ScheduleStore::remove(const std::string& name) {
    execute(session_, "select millrace.drop_schedule($1)", name);
}

}  // namespace millrace::storage
