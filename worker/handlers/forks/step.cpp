#include "handlers/forks/step.hpp"

#include "handlers/forks/token_rest.hpp"
#include "storage/fork_steps.hpp"
#include "storage/forks_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <system_error>
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

bool takes_github(StepTarget::Step step) {
    return step != StepTarget::Step::rebase;
}

// Why this fork's provider cannot do it.
std::optional<std::string> inability_of(const StepTarget& target) {
    if (takes_github(target.step) == (target.provider == Provider::github)) return std::nullopt;
    switch (target.step) {
        case StepTarget::Step::search:
            return "plain git knows no pull requests, and no fork of this upstream has the provider github";
        case StepTarget::Step::distribute:
            return "files are distributed through GitHub's interface, and this fork's provider is git";
        case StepTarget::Step::rebase:
            return "branches are rebased with plain git, and this fork's provider is github";
    }
    __builtin_unreachable();
}

}  // namespace

class Step::Attempt {
public:
    Attempt(Step& step, const core::Job& job, const StepTarget& target, std::chrono::seconds rest,
            storage::Transaction& transaction, const std::stop_token& stop)
        : step_{step}, job_{job}, target_{target}, rest_{rest}, transaction_{transaction}, stop_{stop} {}

    core::Outcome run() {
        if (!target_.is_wanted) return completed({"skipped", "the fork is disabled, or has opted out"});
        if (const auto inability = inability_of(target_)) return give_up(*inability);
        if (takes_github(target_.step) && step_.github_ == nullptr) {
            return failed("this worker has no token for GitHub: set github.token_variable");
        }
        if (rest_.count() > 0) return core::Snoozed{with_jitter(rest_, job_.id)};
        try {
            switch (target_.step) {
                case StepTarget::Step::search:
                    return search();
                case StepTarget::Step::distribute:
                    return distribute();
                case StepTarget::Step::rebase:
                    return rebase();
            }
        } catch (const adapters::GitError& error) {
            return failed(error.what());
        } catch (const adapters::HttpError& error) {
            return failed(fmt::format("no answer of GitHub: {}", error.what()));
        } catch (const std::system_error& error) {
            return failed(error.what());
        }
        __builtin_unreachable();
    }

private:
    core::Outcome completed(const StepResult& result) {
        storage::record_step(transaction_, job_, result);
        nlohmann::json shown{{"state", result.state}};
        if (!result.detail.empty()) shown["detail"] = result.detail;
        return core::Completed{shown.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), {}};
    }

    core::Outcome give_up(const std::string& error) {
        storage::record_step(transaction_, job_, {"failed", error});
        return core::Discarded{error};
    }

    bool is_last() const { return job_.attempt >= job_.max_attempts && !stop_.stop_requested(); }

    core::Outcome failed(const std::string& error) {
        return is_last() ? give_up(error) : core::Failed{error, std::nullopt};
    }

    core::Outcome refused(const GithubAnswer& answer) {
        using Verdict = GithubAnswer::Verdict;
        if (answer.verdict == Verdict::limited) {
            ForksStore{*step_.sessions_.open(step_session)}.pause_token(step_.github_->token_name(), answer.wait);
            return core::Snoozed{with_jitter(answer.wait, job_.id)};
        }
        return answer.verdict == Verdict::broken ? failed(answer.detail) : give_up(answer.detail);
    }

    adapters::GithubAsking asking() const { return {stop_, job_.traceparent}; }

    core::Outcome search() {
        const auto found =
            step_.github_->merged_pulls({target_.target, target_.branch, target_.since, migration}, asking());
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
            ForkSteps{*step_.sessions_.open(step_session)}.intend(job_, name_of(state));
        };
        const auto put = step_.github_->put_file(
            {target_.fork, *target_.template_path, target_.template_text, target_.group}, announce, asking());
        if (const auto* answer = std::get_if<GithubAnswer>(&put)) return refused(*answer);
        const auto state = std::get<adapters::GithubFileState>(put);
        // It is as it should be: perhaps because an earlier attempt came as far as that.
        const bool was_ours = state == adapters::GithubFileState::unchanged && !target_.intended.empty();
        return completed({was_ours ? target_.intended : name_of(state), *target_.template_path});
    }

    core::Outcome rebase() {
        const GitRebase::Hooks hooks{.announce =
                                         [&](const storage::PushIntent& intent) {
                                             ForksStore{*step_.sessions_.open(step_session)}.intend_push(job_, intent);
                                         },
                                     .record =
                                         [&](const storage::StepItem& item) {
                                             ForkSteps{*step_.sessions_.open(step_session)}.record_item(job_, item);
                                         }};
        const auto report = step_.git_.rebase({.fork = target_.fork,
                                               .origin = {target_.origin_url},
                                               .onto = {target_.branch},
                                               .globs = target_.globs,
                                               .listed = target_.listed,
                                               .done = target_.rebased,
                                               .intent = target_.intent,
                                               .is_last = is_last()},
                                              hooks, stop_);
        if (!report) return core::Snoozed{step_.busy_delay_};
        if (!report->error.empty() && !is_last()) return core::Failed{report->error, std::nullopt};
        if (!report->unfit.empty()) return give_up(report->unfit);
        auto outcome = completed({"done", report->branches == 0 ? "no branch fits the patterns" : ""});
        if (report->error.empty()) return outcome;
        return core::Discarded{report->error};  // which branches, the items say
    }

    Step& step_;
    const core::Job& job_;
    const StepTarget& target_;
    const std::chrono::seconds rest_;  // of the token, from now on
    storage::Transaction& transaction_;
    const std::stop_token& stop_;
};

Step::Step(storage::SessionFactory sessions, Settings settings)
    : sessions_{std::move(sessions)},
      github_{settings.github},
      busy_delay_{settings.busy_delay},
      git_{std::move(settings.git)} {}

core::Outcome Step::run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) {
    std::optional<StepTarget> target;
    std::chrono::seconds rest{0};
    {
        const auto session = sessions_.open(step_session);
        target = ForkSteps{*session}.target(job.id);
        const bool asks_github = github_ != nullptr && target && !inability_of(*target) && takes_github(target->step);
        if (asks_github) rest = ForksStore{*session}.token_wait(github_->token_name());
    }
    if (!target) return core::Discarded{"the job is no step of a run; forks.start_run enqueues those"};
    return Attempt{*this, job, *target, rest, transaction, stop}.run();
}

}  // namespace millrace::handlers::forks
