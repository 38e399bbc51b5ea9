#pragma once
// What was probably meant by a name that the database does not know.
//
// It is asked once more for that, in a session of its own; when it does not answer, nothing is guessed.

#include "cli/command.hpp"
#include "storage/error.hpp"

#include <string>

namespace millrace::cli {

// "Did you mean …?" for an error that is about an unknown queue, fork, schedule or the like; empty for all others.
[[nodiscard]] std::string guess_for(const storage::Error& error, const Options& options);

// For a filter that matches nothing: a line for --queue and for --kind, when no such name is known and another is near.
[[nodiscard]] std::string guess_for_filter(const Invocation& invocation);

}  // namespace millrace::cli
