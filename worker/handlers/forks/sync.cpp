#include "handlers/forks/sync.hpp"

#include "handlers/forks/payload.hpp"
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

Sync::Sync(storage::SessionFactory sessions, Settings settings)
    : sessions_{std::move(sessions)}, busy_delay_{settings.busy_delay}, git_{std::move(settings.git)} {}

core::Outcome Sync::run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) {
    const auto read = read_fork_branch(job.payload);
    if (const auto* problem = std::get_if<PayloadProblem>(&read)) return core::Discarded{problem->text};
    const auto& wanted = std::get<ForkBranch>(read);

    const auto target = ForksStore{*sessions_.open(session_purpose)}.target(wanted, job.id);
    if (auto refusal = refusal_of(wanted, target)) return core::Discarded{*std::move(refusal)};

    // From here on there is a fork to record a result of.
    const auto record = [&](const SyncResult& result) { storage::record_sync(transaction, job.id, wanted, result); };
    const auto give_up = [&](const std::string& error) -> core::Outcome {
        record({SyncState::failed, "", "", error, std::nullopt});
        return core::Discarded{error};
    };
    if (!target->is_enabled) {
        const SyncResult skipped{SyncState::skipped, "", "", "the fork is disabled", std::nullopt};
        record(skipped);
        return core::Completed{result_of(skipped), {}};
    }
    if (target->provider != Provider::git) {
        return give_up("this program cannot work with the provider github yet; add the fork with the provider git");
    }

    const auto announce = [&](const storage::PushIntent& intent) {
        ForksStore{*sessions_.open(session_purpose)}.intend_push(job, intent);
    };
    const auto failed = [&](const std::string& error) -> core::Outcome {
        const bool is_last = job.attempt >= job.max_attempts && !stop.stop_requested();
        return is_last ? give_up(error) : core::Failed{error, std::nullopt};
    };
    try {
        const auto result = git_.sync({.fork = wanted.fork,
                                       .branch = {wanted.branch},
                                       .origin = {target->origin_url},
                                       .upstream = {target->upstream_url},
                                       .intent = target->intent,
                                       .attempt = job.attempt,
                                       .compares = target->compares},
                                      announce, stop);
        if (!result) return core::Snoozed{busy_delay_};
        record(*result);
        return core::Completed{result_of(*result), {}};
    } catch (const adapters::GitError& error) {
        return failed(error.what());
    } catch (const std::system_error& error) {
        return failed(error.what());
    }
}

}  // namespace millrace::handlers::forks
