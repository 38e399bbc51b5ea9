#include "storage/fork_registry.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {
namespace {

#define ISO(column) "to_char(" column " at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

constexpr auto forks_statement =
    "select repo, provider, to_jsonb(branches), digest_group, queue, enabled from forks.registry order by repo";

constexpr auto import_statement =
    "select what, name, outcome, changed from forks.import_forks($1::jsonb, dry_run => $2)";

constexpr auto runs_statement = "select id, digest_group, state, " ISO("started_at") ","
                                " extract(epoch from millrace.now() - started_at)::float8, " ISO("finished_at") ","
                                " branches, updated, current, skipped, failed, diverged, pending, digest_job"
                                "  from forks.runs where $1::bigint is null or id = $1 order by id desc limit $2";

constexpr auto items_statement =
    "select 'sync', fork, branch, state, detail, divergence, ahead, behind, job, null from forks.run_items($1)"
    " union all "
    "select step, target, branch, state, detail, null, null, null, job, item from forks.run_steps($1)"
    " order by 2, 1 desc, 3, 10";

constexpr auto digest_statement =
    "select subject, text, html, failures from forks.digests where run = $1 order by id desc limit 1";

#undef ISO

std::optional<std::string> text(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional<std::string>{field.c_str()};
}

std::optional<std::int64_t> number(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional{field.as<std::int64_t>()};
}

RunRow read_run(const pqxx::row& row) {
    return {.id = row[0].as<std::int64_t>(),
            .group = row[1].c_str(),
            .state = row[2].c_str(),
            .started_at = row[3].c_str(),
            .age_seconds = row[4].as<double>(),
            .finished_at = text(row[5]),
            .branches = row[6].as<std::int64_t>(),
            .updated = row[7].as<std::int64_t>(),
            .current = row[8].as<std::int64_t>(),
            .skipped = row[9].as<std::int64_t>(),
            .failed = row[10].as<std::int64_t>(),
            .diverged = row[11].as<std::int64_t>(),
            .pending = row[12].as<std::int64_t>(),
            .digest_job = number(row[13])};
}

}  // namespace

std::vector<ForkRow> ForkRegistry::forks() {
    std::vector<ForkRow> forks;
    for (const auto& row : execute(session_, forks_statement)) {
        forks.push_back({.repo = row[0].c_str(),
                         .provider = row[1].c_str(),
                         .branches = row[2].c_str(),
                         .group = row[3].c_str(),
                         .queue = row[4].c_str(),
                         .enabled = row[5].as<bool>()});
    }
    return forks;
}

std::vector<RegistryChange> ForkRegistry::import(const std::string& document, Import how) {
    std::vector<RegistryChange> changes;
    for (const auto& row : execute(session_, import_statement, document, how == Import::dry_run))
        changes.push_back({row[0].c_str(), row[1].c_str(), row[2].c_str(), row[3].c_str()});
    return changes;
}

std::string ForkRegistry::export_document() {
    return execute(session_, "select forks.export_forks()").at(0).at(0).c_str();
}

void ForkRegistry::enable(const std::string& repo) {
    execute(session_, "select forks.enable_fork($1)", repo);
}

void ForkRegistry::disable(const std::string& repo) {
    execute(session_, "select forks.disable_fork($1)", repo);
}

std::vector<core::JobId> ForkRegistry::sync(const std::string& repo, const std::optional<std::string>& branch) {
    std::vector<core::JobId> jobs;
    for (const auto& row : execute(session_, "select unnest(forks.sync_now($1, $2))", repo, branch))
        jobs.push_back({row[0].as<std::int64_t>()});
    return jobs;
}

std::vector<RunRow> ForkRegistry::runs(int limit) {
    std::vector<RunRow> runs;
    for (const auto& row : execute(session_, runs_statement, std::optional<std::int64_t>{}, limit))
        runs.push_back(read_run(row));
    return runs;
}

std::optional<RunRow> ForkRegistry::run(std::int64_t id) {
    const auto found = execute(session_, runs_statement, std::optional{id}, 1);
    return found.empty() ? std::nullopt : std::optional{read_run(found.at(0))};
}

std::vector<RunItem> ForkRegistry::items(std::int64_t run) {
    std::vector<RunItem> items;
    for (const auto& row : execute(session_, items_statement, run)) {
        items.push_back({.step = row[0].c_str(),
                         .fork = row[1].c_str(),
                         .branch = row[2].c_str(),
                         .state = row[3].c_str(),
                         .detail = text(row[4]),
                         .divergence = text(row[5]),
                         .ahead = number(row[6]),
                         .behind = number(row[7]),
                         .job = number(row[8]),
                         .item = text(row[9])});
    }
    return items;
}

std::int64_t ForkRegistry::start(const std::string& group) {
    return execute(session_, "select forks.start_run($1)", group).at(0).at(0).as<std::int64_t>();
}

std::vector<PlannedStep> ForkRegistry::plan(const std::string& group) {
    std::vector<PlannedStep> steps;
    for (const auto& row : execute(session_, "select step, target, branch from forks.plan_run($1)", group))
        steps.push_back({row[0].c_str(), row[1].c_str(), row[2].c_str()});
    return steps;
}

std::string ForkRegistry::cancel(std::int64_t run) {
    return execute(session_, "select forks.cancel_run($1)", run).at(0).at(0).c_str();
}

int ForkRegistry::resume(std::int64_t run) {
    return execute(session_, "select forks.resume_run($1)", run).at(0).at(0).as<int>();
}

std::optional<DigestText> ForkRegistry::digest(std::int64_t run) {
    const auto found = execute(session_, digest_statement, run);
    if (found.empty()) return std::nullopt;
    const auto row = found.at(0);
    return DigestText{
        .subject = row[0].c_str(), .text = row[1].c_str(), .html = row[2].c_str(), .failures = row[3].as<int>()};
}

std::string ForkRegistry::digest_content(std::int64_t run) {
    return execute(session_, "select forks.digest_content($1)", run).at(0).at(0).c_str();
}

}  // namespace millrace::storage
