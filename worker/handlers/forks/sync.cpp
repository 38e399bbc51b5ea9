#include "handlers/forks/sync.hpp"

#include "handlers/forks/attempt.hpp"
#include "handlers/forks/payload.hpp"
#include "storage/forks_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <utility>
#include <variant>

namespace millrace::handlers::forks {
namespace {

using storage::ForkBranch;
using storage::ForksStore;
using storage::SyncResult;
using storage::SyncState;
using storage::SyncTarget;
using Provider = SyncTarget::Provider;

constexpr auto session_purpose = "forks";

std::string result_of(const SyncResult& result) {
    nlohmann::json shown{{"state", storage::name_of(result.state)}};
    if (!result.before_sha.empty()) shown["before"] = result.before_sha;
    if (!result.after_sha.empty()) shown["after"] = result.after_sha;
    if (!result.detail.empty()) shown["detail"] = result.detail;
    return shown.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Why this job can never succeed, whatever git would say.
std::optional<std::string> refusal_of(const ForkBranch& wanted, const std::optional<SyncTarget>& target) {
    if (!target) return fmt::format("unknown fork {}; add it with forks.add_fork", wanted.fork);
    const bool was_planned = wanted.run.has_value();  // when it was listed
    if (!target->is_listed && !was_planned) {
        return fmt::format("{} does not list the branch {}", wanted.fork, wanted.branch);
    }
    return std::nullopt;
}

}  // namespace

// A fork that is there and enabled, from which on there is something to record a result of.
class Sync::Attempt {
public:
    Attempt(Sync& sync, const core::Job& job, const ForkBranch& wanted, const SyncTarget& target,
            std::optional<std::chrono::milliseconds> wait, storage::Transaction& transaction,
            const std::stop_token& stop)
        : sync_{sync},
          job_{job},
          wanted_{wanted},
          target_{target},
          wait_{wait},
          transaction_{transaction},
          stop_{stop} {}

    core::Outcome work() {
        if (!target_.is_enabled) {
            return completed({SyncState::skipped, "", "", "the fork is disabled", std::nullopt});
        }
        if (!target_.is_listed) {
            return completed({SyncState::skipped, "", "", "the fork does not list the branch any more", std::nullopt});
        }
        return target_.provider == Provider::git ? by_git() : by_github();
    }

    core::Outcome give_up(const std::string& error) {
        record({SyncState::failed, "", "", error, std::nullopt});
        return core::Discarded{error};
    }

    const core::Job& job() const noexcept { return job_; }
    const std::stop_token& stop() const noexcept { return stop_; }

private:
    void record(const SyncResult& result) {
        storage::record_sync(transaction_, job_.id, wanted_, result);
        if (sync_.counts_ != nullptr) sync_.counts_->recorded(result.state);
    }

    core::Outcome completed(const SyncResult& result) {
        record(result);
        return core::Completed{result_of(result), {}};
    }

    core::Outcome by_git() {
        const auto announce = [&](const storage::PushIntent& intent) {
            ForksStore{*session()}.intend_push(job_, intent);
        };
        const auto result = sync_.git_.sync({.fork = wanted_.fork,
                                             .branch = {wanted_.branch},
                                             .origin = {target_.origin_url},
                                             .upstream = {target_.upstream_url},
                                             .intent = target_.intent,
                                             .attempt = job_.attempt,
                                             .compares = target_.compares},
                                            announce, stop_);
        if (!result) return core::Snoozed{sync_.busy_delay_};
        return completed(*result);
    }

    adapters::GithubAsking asking() const { return {stop_, job_.traceparent}; }

    core::Outcome by_github() {
        if (!sync_.token_.is_configured()) return failed(*this, no_token);
        if (wait_) return core::Snoozed{*wait_};

        const auto answer = sync_.token_.github().merge_upstream({wanted_.fork, wanted_.branch}, asking());
        using Verdict = adapters::GithubAnswer::Verdict;
        switch (answer.verdict) {
            case Verdict::limited:
                // Nothing was done. What an attempt before this one may have done stays announced.
                if (!target_.was_announced) ForksStore{*session()}.withdraw_push(job_);
                return sync_.token_.paused(*session(), job_, answer.wait);
            case Verdict::broken:
                return failed(*this, answer.detail);
            case Verdict::failed:
                return give_up(answer.detail);
            case Verdict::conflict:
                return completed({SyncState::conflict, "", "", answer.detail, std::nullopt});
            case Verdict::skipped:
                return completed({SyncState::skipped, "", "", answer.detail, std::nullopt});
            case Verdict::updated:
                return up_to_date(SyncState::updated, answer.detail);
            case Verdict::current:
                return up_to_date(SyncState::current, told_again(answer.detail));
        }
        __builtin_unreachable();
    }

    // GitHub does not tell whether it was this job that brought the branch up to date, by an attempt that was
    // interrupted or had no answer.
    std::string told_again(const std::string& detail) const {
        if (!target_.was_announced) return detail;
        return fmt::format("perhaps by an attempt that was interrupted{}{}", detail.empty() ? "" : "; ", detail);
    }

    core::Outcome up_to_date(SyncState state, const std::string& detail) {
        SyncResult result{state, "", "", detail, std::nullopt};
        if (target_.compares) compare(result);
        return completed(result);
    }

    // The difference stays unknown when it cannot be found out, which is no reason to fail.
    void compare(SyncResult& result) {
        try {
            auto found = sync_.token_.github().compare(target_.upstream, {wanted_.fork, wanted_.branch}, asking());
            if (found.wait.count() > 0) sync_.token_.pause(*session(), found.wait);
            if (!found.moved_to.empty()) {
                result.detail +=
                    fmt::format("{}{}{}: change upstream_org and upstream_repo", result.detail.empty() ? "" : "; ",
                                adapters::moved_upstream_words, found.moved_to);
            }
            if (!found.difference) return;
            auto& difference = *found.difference;
            result.divergence =
                storage::Divergence{difference.ahead, difference.behind, std::move(difference.subjects)};
        } catch (const adapters::HttpError&) {
            result.divergence.reset();
        }
    }

    storage::SessionPool::Lent session() const { return sync_.sessions_.lend(session_purpose); }

    Sync& sync_;
    const core::Job& job_;
    const ForkBranch& wanted_;
    const SyncTarget& target_;
    const std::optional<std::chrono::milliseconds> wait_;  // until the token may be used
    storage::Transaction& transaction_;
    const std::stop_token& stop_;
};

Sync::Sync(storage::SessionPool& sessions, Settings settings)
    : sessions_{sessions},
      token_{settings.github, std::move(settings.token_problem)},
      busy_delay_{settings.busy_delay},
      counts_{settings.counts},
      git_{std::move(settings.git)} {}

core::Outcome Sync::run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) {
    const auto read = read_fork_branch(job.payload);
    if (const auto* problem = std::get_if<PayloadProblem>(&read)) return core::Discarded{problem->text};
    const auto& wanted = std::get<ForkBranch>(read);

    std::optional<SyncTarget> target;
    std::optional<std::chrono::milliseconds> wait;
    {
        const auto session = sessions_.lend(session_purpose);
        ForksStore store{*session};
        target = store.target(wanted, job.id);
        const bool asks_github = target && target->provider == Provider::github && token_.is_configured();
        if (asks_github) wait = token_.wait(*session, job);
        const bool has_work = asks_github && target->is_enabled && target->is_listed;
        if (has_work && !wait) store.intend_merge(job);
    }
    if (auto refusal = refusal_of(wanted, target)) return core::Discarded{*std::move(refusal)};
    Attempt attempt{*this, job, wanted, *target, wait, transaction, stop};
    return run_attempt(attempt);
}

}  // namespace millrace::handlers::forks
