#pragma once
// The token for GitHub, which all workers share: whether a job may use it now.
//
//     its variable is set elsewhere, and not for this worker → the job is put off: another worker takes it
//     GitHub wants to be left alone                          → put off until then, as are all jobs of the token, on all
//                                                              workers
//     all its places are taken by other jobs                 → put off for a moment
//
// No attempt is burned by that. Jobs that wait for the same moment come back spread over a tenth of the time.
//
// Thread rule: any thread.

#include "adapters/github.hpp"
#include "core/job.hpp"
#include "core/outcome.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace millrace::handlers::forks {

class Token {
public:
    static constexpr std::chrono::minutes missing_delay{1};
    static constexpr std::chrono::seconds crowded_delay{1};  // and up to as much again

    // `github` outlives this; none: the worker has no token, and `problem` says why when it should have one.
    Token(adapters::Github* github, std::string problem) : github_{github}, problem_{std::move(problem)} {}

    // Whether there is one here, or is to be one.
    [[nodiscard]] bool is_configured() const noexcept { return github_ != nullptr || !problem_.empty(); }

    // When `wait` has said nothing.
    [[nodiscard]] adapters::Github& github() const noexcept { return *github_; }

    // How long the job is to stay away; nothing: it may ask GitHub, and has a place until its attempt ends. Only when
    // the token is configured. Throws LeaseLost.
    [[nodiscard]] std::optional<std::chrono::milliseconds> wait(storage::Session& session, const core::Job& job) const;

    // GitHub has asked for a rest, from now on.
    void pause(storage::Session& session, std::chrono::seconds rest) const;
    [[nodiscard]] core::Outcome paused(storage::Session& session, const core::Job& job,
                                       std::chrono::seconds rest) const;

private:
    adapters::Github* const github_;
    const std::string problem_;
};

}  // namespace millrace::handlers::forks
