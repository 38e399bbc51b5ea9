#pragma once
// The names that this database knows, for whoever completes what is typed, or guesses what was meant.
//
// Somebody waits at a prompt: what does not answer within `name_patience` is given up.
//
// Throws ConnectionLost, and Error for what the server refuses or does not answer in time. Thread rule: as the Session.

#include "storage/session.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace millrace::storage {

enum class Named { queue, kind, schedule, fork, group, pipeline_queue, event_type };

constexpr int most_names = 1000;
constexpr std::chrono::seconds name_patience{2};

// In their order, at most `most_names`.
[[nodiscard]] std::vector<std::string> known_names(Session& session, Named what);

}  // namespace millrace::storage
