#pragma once
// What became of an attempt. A handler returns one of these; nothing else settles a job.
//
// A handler that throws has failed, whatever it throws: the engine turns the exception into `Failed` with its text.

#include "core/job.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::core {

// Done. The successors are enqueued in the settling transaction.
struct Completed {
    std::string result;  // JSON text, empty for none
    std::vector<NewJob> successors;
};

// This attempt failed. Retried after `retry_in` (the queue's backoff when absent) while attempts are left, else a dead
// letter.
struct Failed {
    std::string error;
    std::optional<std::chrono::milliseconds> retry_in;
};

// Not now, and nobody's fault: again after `delay`, the attempt is not counted.
struct Snoozed {
    std::chrono::milliseconds delay{0};
};

// It can never succeed: a dead letter at once, whatever attempts are left.
struct Discarded {
    std::string error;
};

// Given back unfinished, the attempt is not counted. The engine's own word, at shutdown.
struct Released {};

// Stopped because somebody has cancelled the job, which ends with this attempt. The engine's own word, too: what is
// refused unless it was asked for.
struct Cancelled {
    std::string note;  // how it came to its end, empty for nothing to say
};

using Outcome = std::variant<Completed, Failed, Snoozed, Discarded, Released, Cancelled>;

// What people see, in the order of the alternatives.
inline constexpr std::array<std::string_view, std::variant_size_v<Outcome>> outcome_names{
    "completed", "failed", "snoozed", "discarded", "released", "cancelled"};

[[nodiscard]] inline std::string_view name_of(const Outcome& outcome) noexcept {
    return outcome_names.at(outcome.index());
}

}  // namespace millrace::core
