#include "handlers/forks/step.hpp"

#include "handlers/forks/attempt.hpp"
#include "storage/fork_steps.hpp"
#include "storage/forks_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::handlers::forks {
namespace {

using adapters::GithubAnswer;
using storage::ForksStore;
using storage::ForkSteps;
using storage::StepResult;
using storage::StepTarget;
using Provider = storage::SyncTarget::Provider;

constexpr auto step_session = "forks";
constexpr auto migration = "MIG";
constexpr auto nothing_fits = "no branch fits the patterns";

// Why this fork's provider cannot do it.
std::optional<std::string> inability_of(const StepTarget& target) {
    if (target.provider == Provider::github) return std::nullopt;
    switch (target.step) {
        case StepTarget::Step::search:
            return "plain git knows no pull requests, and no fork of this upstream has the provider github";
        case StepTarget::Step::distribute:
            return "files are distributed through GitHub's interface, and this fork's provider is git";
        case StepTarget::Step::rebase:
            return std::nullopt;
    }
    __builtin_unreachable();
}

}  // namespace

class Step::Attempt {
public:
    Attempt(Step& step, const core::Job& job, const StepTarget& target, std::optional<std::chrono::milliseconds> wait,
            storage::Transaction& transaction, const std::stop_token& stop)
        : step_{step}, job_{job}, target_{target}, wait_{wait}, transaction_{transaction}, stop_{stop} {}

    core::Outcome work() {
        if (!target_.is_wanted) return completed({"skipped", "the fork is disabled, or has opted out"});
        if (const auto inability = inability_of(target_)) return give_up(*inability);
        if (target_.provider == Provider::github && !step_.token_.is_configured()) return failed(*this, no_token);
        if (wait_) return core::Snoozed{*wait_};
        switch (target_.step) {
            case StepTarget::Step::search:
                return search();
            case StepTarget::Step::distribute:
                return distribute();
            case StepTarget::Step::rebase:
                return rebase();
        }
        __builtin_unreachable();
    }

    core::Outcome give_up(const std::string& error) {
        storage::record_step(transaction_, job_, {"failed", error});
        return core::Discarded{error};
    }

    const core::Job& job() const noexcept { return job_; }
    const std::stop_token& stop() const noexcept { return stop_; }

private:
    core::Outcome completed(const StepResult& result) {
        storage::record_step(transaction_, job_, result);
        nlohmann::json shown{{"state", result.state}};
        if (!result.detail.empty()) shown["detail"] = result.detail;
        return core::Completed{shown.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), {}};
    }

    core::Outcome refused(const GithubAnswer& answer) {
        using Verdict = GithubAnswer::Verdict;
        if (answer.verdict == Verdict::limited) return step_.token_.paused(*session(), job_, answer.wait);
        return answer.verdict == Verdict::broken ? failed(*this, answer.detail) : give_up(answer.detail);
    }

    adapters::GithubAsking asking() const { return {stop_, job_.traceparent}; }

    core::Outcome search() {
        const auto found =
            step_.token_.github().merged_pulls({target_.target, target_.branch, target_.period, migration}, asking());
        if (const auto* answer = std::get_if<GithubAnswer>(&found)) return refused(*answer);
        const auto& pulls = std::get<std::vector<adapters::GithubPull>>(found);
        StepResult result{"done", pulls.empty() ? "no migration was merged" : ""};
        for (const auto& pull : pulls)
            result.items.push_back({std::to_string(pull.number), "found", pull.title});
        return completed(result);
    }

    core::Outcome distribute() {
        if (!target_.template_path) {
            return give_up(fmt::format("the group {} has no template_path and template", target_.group));
        }
        const auto announce = [&](adapters::GithubFileState state) {
            ForkSteps{*session()}.intend(job_, name_of(state));
        };
        const auto put = step_.token_.github().put_file(
            {target_.fork, *target_.template_path, target_.template_text, target_.group}, announce, asking());
        if (const auto* answer = std::get_if<GithubAnswer>(&put)) return refused(*answer);
        const auto state = std::get<adapters::GithubFileState>(put);
        // It is as it should be: perhaps because an earlier attempt came as far as that.
        const bool was_ours = state == adapters::GithubFileState::unchanged && !target_.intended.empty();
        return completed({was_ours ? target_.intended : name_of(state), *target_.template_path});
    }

    core::Outcome rebase() {
        GitRebase::Order order{.fork = target_.fork,
                               .origin = {target_.origin_url},
                               .environment = {},
                               .onto = {target_.branch},
                               .globs = target_.globs,
                               .listed = target_.listed,
                               .done = target_.rebased,
                               .intent = target_.intent,
                               .attempt = job_.attempt,
                               .is_last = is_last(job_, stop_)};
        if (target_.provider == Provider::git) return rebase(order);
        auto& github = step_.token_.github();
        const auto listed = github.branches(target_.fork, asking());
        if (const auto* answer = std::get_if<GithubAnswer>(&listed)) return refused(*answer);
        const auto& names = std::get<std::vector<std::string>>(listed);
        const bool has_work = std::any_of(names.begin(), names.end(),
                                          [&](const std::string& name) { return GitRebase::is_meant(order, name); });
        if (!has_work) return completed({"done", nothing_fits});
        auto remote = github.remote(target_.fork);
        order.origin = {std::move(remote.url)};
        order.environment = std::move(remote.environment);
        return rebase(order);
    }

    core::Outcome rebase(const GitRebase::Order& order) {
        const GitRebase::Hooks hooks{
            .announce = [&](const storage::PushIntent& intent) { ForksStore{*session()}.intend_push(job_, intent); },
            .record = [&](const storage::StepItem& item) { ForkSteps{*session()}.record_item(job_, item); }};
        const auto report = step_.git_.rebase(order, hooks, stop_);
        if (!report) return core::Snoozed{step_.busy_delay_};
        if (!report->error.empty() && !is_last(job_, stop_)) return core::Failed{report->error, std::nullopt};
        if (!report->unfit.empty()) return give_up(report->unfit);
        auto outcome = completed({"done", report->branches == 0 ? nothing_fits : ""});
        if (report->error.empty()) return outcome;
        return core::Discarded{report->error};  // which branches, the items say
    }

    storage::SessionPool::Lent session() const { return step_.sessions_.lend(step_session); }

    Step& step_;
    const core::Job& job_;
    const StepTarget& target_;
    const std::optional<std::chrono::milliseconds> wait_;  // until the token may be used
    storage::Transaction& transaction_;
    const std::stop_token& stop_;
};

Step::Step(storage::SessionPool& sessions, Settings settings)
    : sessions_{sessions},
      token_{settings.github, std::move(settings.token_problem)},
      busy_delay_{settings.busy_delay},
      git_{std::move(settings.git)} {}

core::Outcome Step::run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) {
    std::optional<StepTarget> target;
    std::optional<std::chrono::milliseconds> wait;
    {
        const auto session = sessions_.lend(step_session);
        target = ForkSteps{*session}.target(job.id);
        const bool asks_github = target && target->is_wanted && target->provider == Provider::github;
        if (asks_github && token_.is_configured()) wait = token_.wait(*session, job);
    }
    if (!target) return core::Discarded{"the job is no step of a run; forks.start_run enqueues those"};
    Attempt attempt{*this, job, *target, wait, transaction, stop};
    return run_attempt(attempt);
}

}  // namespace millrace::handlers::forks
