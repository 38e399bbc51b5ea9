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
    storage::ForksStore store{session};
    const auto name = github_->token_name();
    const auto rest = store.token_wait(name);
    if (rest.count() > 0) return with_jitter(rest, job.id);
    if (store.take_place(job, name)) return std::nullopt;
    return crowded_delay + std::chrono::milliseconds{job.id.value % 1000};
}

void Token::pause(storage::Session& session, std::chrono::seconds rest) const {
    storage::ForksStore{session}.pause_token(github_->token_name(), rest);
}

core::Outcome Token::paused(storage::Session& session, const core::Job& job, std::chrono::seconds rest) const {
    pause(session, rest);
    return core::Snoozed{with_jitter(rest, job.id)};
}

}  // namespace millrace::handlers::forks
