#include "storage/fork_steps.hpp"

#include "core/printable.hpp"
#include "storage/translation.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace millrace::storage {
namespace {

using nlohmann::json;

constexpr auto target_statement =
    "select step, target, branch, fork, provider, is_wanted, origin_url, globs, listed, digest_group, template_path,"
    " template, period, rebased, intended, intended_before, intended_after"
    "  from forks.step_target(job_id => $1)";

constexpr auto record_statement =
    "select forks.record_step(fence => $1, job_id => $2, state => $3, detail => $4, items => $5::jsonb)";

constexpr std::size_t most_detail_bytes = 4000;

StepTarget::Step step_of(std::string_view name) {
    if (name == "search") return StepTarget::Step::search;
    return name == "distribute" ? StepTarget::Step::distribute : StepTarget::Step::rebase;
}

std::vector<std::string> list_in(const pqxx::field& field) {
    return json::parse(field.c_str()).get<std::vector<std::string>>();
}

std::string text_of(const std::vector<StepItem>& items) {
    auto list = json::array();
    for (const auto& each : items) {
        json item{{"item", each.item}, {"state", each.state}};
        if (!each.detail.empty()) item["detail"] = core::printable(each.detail, most_detail_bytes);
        list.push_back(std::move(item));
    }
    return list.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::optional<StepTarget> ForkSteps::target(core::JobId job) {
    const auto found = execute(session_, target_statement, job.value);
    if (found.empty()) return std::nullopt;
    const auto row = found.at(0);
    StepTarget target{.step = step_of(row[0].c_str()),
                      .target = row[1].c_str(),
                      .branch = row[2].c_str(),
                      .fork = row[3].c_str(),
                      .provider = std::string_view{row[4].c_str()} == "git" ? SyncTarget::Provider::git
                                                                            : SyncTarget::Provider::github,
                      .is_wanted = row[5].as<bool>(),
                      .origin_url = row[6].as<std::string>(""),
                      .globs = list_in(row[7]),
                      .listed = list_in(row[8]),
                      .group = row[9].c_str(),
                      .template_path = {},
                      .template_text = row[11].as<std::string>(""),
                      .period = row[12].c_str(),
                      .rebased = list_in(row[13]),
                      .intended = row[14].as<std::string>(""),
                      .intent = {}};
    if (!row[10].is_null()) target.template_path = row[10].c_str();
    if (!row[15].is_null()) target.intent = PushIntent{row[15].c_str(), row[16].c_str()};
    return target;
}

void ForkSteps::intend(const core::Job& job, const std::string& intended) {
    execute(session_, "select forks.intend_step(fence => $1, job_id => $2, intended => $3)", job.fence.value,
            job.id.value, intended);
}

void ForkSteps::record_item(const core::Job& job, const StepItem& item) {
    execute(session_, record_statement, job.fence.value, job.id.value, std::optional<std::string>{},
            std::optional<std::string>{}, text_of({item}));
}

void record_step(Transaction& transaction, const core::Job& job, const StepResult& result) {
    execute(transaction, record_statement, job.fence.value, job.id.value, std::optional{result.state},
            unless_empty(core::printable(result.detail, most_detail_bytes)), text_of(result.items));
}

std::string next_stage(Transaction& transaction, core::JobId job, std::int64_t run) {
    return execute(transaction, "select forks.next_stage(job_id => $1, run => $2)", job.value, run).at(0).at(0).c_str();
}

}  // namespace millrace::storage
