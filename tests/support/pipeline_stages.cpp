#include "support/pipeline_stages.hpp"

#include "handlers/pipeline/stages.hpp"
#include "storage/error.hpp"
#include "storage/job_store.hpp"
#include "storage/pipeline_stores.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace millrace::testing {
namespace {

constexpr auto check = R"(echo "$HEAD_SHA against ${BASE_SHA:-everything}"; test ! -e broken)";

struct Words {
    std::string operator()(const core::Completed&) const { return "completed"; }
    std::string operator()(const core::Failed& failed) const { return "failed: " + failed.error; }
    std::string operator()(const core::Snoozed&) const { return "snoozed"; }
    std::string operator()(const core::Discarded& discarded) const { return "discarded: " + discarded.error; }
    std::string operator()(const core::Released&) const { return "released"; }
    std::string operator()(const core::Cancelled&) const { return "cancelled"; }
};

}  // namespace

PipelineStages::PipelineStages(const std::string& options, std::map<std::string, std::string> secrets)
    : extensions_{{.cache = cache_.path(),
                   .environment = remote_.environment(),
                   .secrets = handlers::pipeline::Secrets{std::move(secrets)}}},
      registry_{registry()},
      session_{database_.sessions().open("test")} {
    database_.create_queue("pipeline");
    remote_.commit({{"README", "one"}});
    database_.execute("select pipeline.create_queue('shop/main', $1, 'main', array['sh', '-c', $2]" +
                          (options.empty() ? "" : ", " + options) + ")",
                      {remote_.path(), check});
    worker_ = {std::stoi(database_.value("select millrace.open_session('test', '{pipeline}', lease => '1 hour')"))};
}

engine::Registry PipelineStages::registry(const storage::SessionFactory& sessions) {
    engine::Registry registry;
    handlers::pipeline::add_stages(registry, extensions_, sessions, counts_);
    return registry;
}

std::string PipelineStages::uri(const std::string& commit) const {
    auto path = remote_.path();
    path.resize(path.size() - std::string{".git"}.size());
    return "git://localhost" + path + "/ref/main/" + commit;
}

int PipelineStages::push(const std::map<std::string, std::string>& files) {
    return ingest(uri(remote_.commit(files)));
}

int PipelineStages::ingest(const std::string& uri) {
    return std::stoi(database_.value("select pipeline.ingest('shop/main', $1)", {uri}));
}

void PipelineStages::configure(const std::string& settings) {
    database_.execute("select pipeline.configure_queue('shop/main', $1::jsonb)", {settings});
}

std::string PipelineStages::step(const std::string& kind) {
    claim();
    const auto job = take(kind);
    return job.id.value == 0 ? "none" : run(job, Fate::committed);
}

void PipelineStages::steps(std::initializer_list<const char*> stages) {
    for (const auto* stage : stages) {
        if (const auto outcome = step(std::string{"pipeline."} + stage); outcome != "completed") {
            throw std::runtime_error{std::string{stage} + " " + outcome};
        }
    }
}

void PipelineStages::validate() {
    steps({"process", "build", "run", "buildsignal", "record", "analyze"});
}

void PipelineStages::lose(const std::string& kind) {
    claim();
    auto job = take(kind);
    if (job.id.value == 0) throw std::logic_error{"no job to lose: " + kind};
    run(job, Fate::lost);
    claimed_.push_front(std::move(job));
}

bool PipelineStages::breaks(const std::string& kind, const storage::SessionFactory& way) {
    claim();
    auto job = take(kind);
    if (job.id.value == 0) throw std::logic_error{"no job to run: " + kind};
    const auto elsewhere = registry(way);
    const auto session = way.open("test");
    try {
        run(job, Fate::committed, elsewhere, *session);
        return false;
    } catch (const storage::ConnectionLost&) {
        claimed_.push_front(std::move(job));
        return true;
    }
}

void PipelineStages::finish() {
    constexpr int limit = 100;
    for (int done = 0; done < limit; ++done) {
        claim();
        if (claimed_.empty()) {
            const auto woken =
                database_.value("select count(millrace.retry(id)) from millrace.jobs where state = 'scheduled'");
            if (woken == "0") return;
            continue;
        }
        const auto job = claimed_.front();
        claimed_.pop_front();
        if (const auto outcome = run(job, Fate::committed); outcome != "completed" && outcome != "snoozed") {
            throw std::runtime_error{job.kind + " " + outcome};
        }
    }
    throw std::runtime_error{"jobs without end"};
}

std::string PipelineStages::waiting() {
    return database_.value(
        "select string_agg(replace(kind, 'pipeline.', ''), ' ' order by id) from millrace.jobs"
        " where state in ('available', 'scheduled', 'running')");
}

std::string PipelineStages::states() {
    return database_.value("select string_agg(state, ' ' order by number) from pipeline.requests");
}

std::string PipelineStages::verdict(int request, const std::string& project) {
    return database_.value(
        "select max(verdict) from pipeline.history"
        " where request = $1::bigint and project = $2 and superseded_at is null",
        {std::to_string(request), project});
}

std::string PipelineStages::state(int request) {
    return database_.value(
        "select concat_ws(' ', state, build_strategy) from pipeline.requests where number = $1::bigint",
        {std::to_string(request)});
}

std::string PipelineStages::degree(const std::string& commit) {
    return database_.value("select trim_scale(degree) from pipeline.history where uri = $1", {uri(commit)});
}

std::string PipelineStages::bookmark() {
    return database_.value("select last_green_request from pipeline.queue");
}

std::string PipelineStages::count(const std::string& table) {
    return database_.value("select count(*) from pipeline." + table);
}

std::string PipelineStages::run(const core::Job& job, Fate fate, const engine::Registry& registry,
                                storage::Session& session) {
    const auto* entry = registry.find(job.kind);
    if (const auto* plain = std::get_if<std::unique_ptr<engine::Handler>>(entry)) {
        const auto outcome = (*plain)->run(job, {});
        if (fate == Fate::lost) return "lost";
        storage::Transaction transaction{session};
        storage::settle_within(transaction, {job.id, job.fence, outcome});
        transaction.commit();
        return std::visit(Words{}, outcome);
    }
    storage::Transaction transaction{session};
    core::Outcome outcome = std::get<std::unique_ptr<engine::TransactionalHandler>>(*entry)->run(job, transaction, {});
    if (fate == Fate::lost) return "lost";
    storage::settle_within(transaction, {job.id, job.fence, outcome});
    transaction.commit();
    return std::visit(Words{}, outcome);
}

void PipelineStages::claim() {
    for (auto& job : storage::JobStore{*session_}.claim(worker_, "pipeline", 100))
        claimed_.push_back(std::move(job));
}

core::Job PipelineStages::take(const std::string& kind) {
    const auto found =
        std::find_if(claimed_.begin(), claimed_.end(), [&](const core::Job& job) { return job.kind == kind; });
    if (found == claimed_.end()) return {};
    auto job = *found;
    claimed_.erase(found);
    return job;
}

}  // namespace millrace::testing
