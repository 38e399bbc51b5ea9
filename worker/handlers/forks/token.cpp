#include "handlers/forks/token.hpp"

#include "storage/forks_store.hpp"

namespace millrace::handlers::forks {
namespace {

std::chrono::milliseconds with_jitter(std::chrono::milliseconds wait, core::JobId job) {
    return wait + wait * (job.value % 100) / 1000;
}

}  // namespace

std::optional<std::chrono::milliseconds> Token::wait(storage::Session& session, const core::Job& job) const {
    if (github_ == nullptr) return with_jitter(missing_delay, job.id);
    const auto rest = storage::ForksStore{session}.token_wait(github_->token_name());
    if (rest.count() > 0) return with_jitter(rest, job.id);
    return std::nullopt;
}

void Token::pause(storage::Session& session, std::chrono::seconds rest) const {
    storage::ForksStore{session}.pause_token(github_->token_name(), rest);
}

core::Outcome Token::paused(storage::Session& session, const core::Job& job, std::chrono::seconds rest) const {
    pause(session, rest);
    return core::Snoozed{with_jitter(rest, job.id)};
}

}  // namespace millrace::handlers::forks
