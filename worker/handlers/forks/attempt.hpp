#pragma once
// What the attempts of `forks.sync` and of the steps have in common: how they end when git, GitHub or this host does
// not do what is asked.
//
//     git or a remote fails, no whole answer of GitHub       → failed: retried; at the last attempt given up
//     a request that cannot be sent, an answer too large     → given up: no other attempt would do better
//
// An attempt has work(), and give_up(error), which records the failure and ends the job.

#include "adapters/git.hpp"
#include "adapters/http.hpp"
#include "core/job.hpp"
#include "core/outcome.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <system_error>

namespace millrace::handlers::forks {

inline constexpr auto no_token = "this worker has no token for GitHub: set github.token_variable";

// What is interrupted has not had its last word.
[[nodiscard]] inline bool is_last(const core::Job& job, const std::stop_token& stop) {
    return job.attempt >= job.max_attempts && !stop.stop_requested();
}

template <class Attempt>
core::Outcome failed(Attempt& attempt, const std::string& error) {
    return is_last(attempt.job(), attempt.stop()) ? attempt.give_up(error) : core::Failed{error, std::nullopt};
}

template <class Attempt>
core::Outcome run_attempt(Attempt& attempt) {
    using Reason = adapters::HttpError::Reason;
    try {
        return attempt.work();
    } catch (const adapters::GitError& error) {
        return failed(attempt, error.what());
    } catch (const adapters::HttpError& error) {
        const auto told = std::string{"no answer of GitHub: "} + error.what();
        const bool is_final = error.reason() == Reason::unfit || error.reason() == Reason::too_large;
        return is_final ? attempt.give_up(told) : failed(attempt, told);
    } catch (const std::system_error& error) {
        return failed(attempt, error.what());
    }
}

}  // namespace millrace::handlers::forks
