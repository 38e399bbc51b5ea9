#include "handlers/forks/sync.hpp"

#include "handlers/forks/payload.hpp"
#include "handlers/forks/token_rest.hpp"
#include "storage/forks_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <system_error>
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
    if (!target->is_listed) return fmt::format("{} does not list the branch {}", wanted.fork, wanted.branch);
    return std::nullopt;
}

}  // namespace

// A fork that is there and enabled, from which on there is something to record a result of.
class Sync::Attempt {
public:
    Attempt(Sync& sync, const core::Job& job, const ForkBranch& wanted, const SyncTarget& target,
            std::chrono::seconds rest, storage::Transaction& transaction, const std::stop_token& stop)
        : sync_{sync},
          job_{job},
          wanted_{wanted},
          target_{target},
          rest_{rest},
          transaction_{transaction},
          stop_{stop} {}

    core::Outcome run() {
        if (!target_.is_enabled) {
            return completed({SyncState::skipped, "", "", "the fork is disabled", std::nullopt});
        }
        try {
            return target_.provider == Provider::git ? by_git() : by_github();
        } catch (const adapters::GitError& error) {
            return failed(error.what());
        } catch (const adapters::HttpError& error) {
            return failed(fmt::format("no answer of GitHub: {}", error.what()));
        } catch (const std::system_error& error) {
            return failed(error.what());
        }
    }

private:
    core::Outcome completed(const SyncResult& result) {
        storage::record_sync(transaction_, job_.id, wanted_, result);
        return core::Completed{result_of(result), {}};
    }

    core::Outcome give_up(const std::string& error) {
        storage::record_sync(transaction_, job_.id, wanted_, {SyncState::failed, "", "", error, std::nullopt});
        return core::Discarded{error};
    }

    core::Outcome failed(const std::string& error) {
        const bool is_last = job_.attempt >= job_.max_attempts && !stop_.stop_requested();
        return is_last ? give_up(error) : core::Failed{error, std::nullopt};
    }

    core::Outcome by_git() {
        const auto announce = [&](const storage::PushIntent& intent) {
            ForksStore{*sync_.sessions_.open(session_purpose)}.intend_push(job_, intent);
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
        if (sync_.github_ == nullptr) {
            return failed("this worker has no token for GitHub: set github.token_variable");
        }
        if (rest_.count() > 0) return core::Snoozed{with_jitter(rest_, job_.id)};

        const auto answer = sync_.github_->merge_upstream({wanted_.fork, wanted_.branch}, asking());
        using Verdict = adapters::GithubAnswer::Verdict;
        switch (answer.verdict) {
            case Verdict::limited:
                pause(answer.wait);
                return core::Snoozed{with_jitter(answer.wait, job_.id)};
            case Verdict::broken:
                return failed(answer.detail);
            case Verdict::failed:
                return give_up(answer.detail);
            case Verdict::conflict:
                return completed({SyncState::conflict, "", "", answer.detail, std::nullopt});
            case Verdict::skipped:
                return completed({SyncState::skipped, "", "", answer.detail, std::nullopt});
            case Verdict::updated:
                return completed({SyncState::updated, "", "", answer.detail, compared()});
            case Verdict::current:
                return completed({SyncState::current, "", "", answer.detail, compared()});
        }
        __builtin_unreachable();
    }

    // Of a branch that is up to date. Nothing when that cannot be found out, which is no reason to fail.
    std::optional<storage::Divergence> compared() {
        if (!target_.compares) return std::nullopt;
        try {
            auto found = sync_.github_->compare(target_.upstream, {wanted_.fork, wanted_.branch}, asking());
            if (found.wait.count() > 0) pause(found.wait);
            if (!found.difference) return std::nullopt;
            auto& difference = *found.difference;
            return storage::Divergence{difference.ahead, difference.behind, std::move(difference.subjects)};
        } catch (const adapters::HttpError&) {
            return std::nullopt;
        }
    }

    void pause(std::chrono::seconds wait) {
        ForksStore{*sync_.sessions_.open(session_purpose)}.pause_token(sync_.github_->token_name(), wait);
    }

    Sync& sync_;
    const core::Job& job_;
    const ForkBranch& wanted_;
    const SyncTarget& target_;
    const std::chrono::seconds rest_;  // of the token, from now on
    storage::Transaction& transaction_;
    const std::stop_token& stop_;
};

Sync::Sync(storage::SessionFactory sessions, Settings settings)
    : sessions_{std::move(sessions)},
      github_{settings.github},
      busy_delay_{settings.busy_delay},
      git_{std::move(settings.git)} {}

core::Outcome Sync::run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) {
    const auto read = read_fork_branch(job.payload);
    if (const auto* problem = std::get_if<PayloadProblem>(&read)) return core::Discarded{problem->text};
    const auto& wanted = std::get<ForkBranch>(read);

    std::optional<SyncTarget> target;
    std::chrono::seconds rest{0};
    {
        const auto session = sessions_.open(session_purpose);
        ForksStore store{*session};
        target = store.target(wanted, job.id);
        const bool asks_github = github_ != nullptr && target && target->provider == Provider::github;
        if (asks_github) rest = store.token_wait(github_->token_name());
    }
    if (auto refusal = refusal_of(wanted, target)) return core::Discarded{*std::move(refusal)};
    return Attempt{*this, job, wanted, *target, rest, transaction, stop}.run();
}

}  // namespace millrace::handlers::forks
