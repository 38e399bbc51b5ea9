#pragma once
// `SETTING=VALUE` words, as `queues set` and `kinds set` take them.

#include "cli/command.hpp"

#include <span>
#include <string>

namespace millrace::cli {

// As a JSON object; `none` becomes null, but of `history`. What a setting means is for the server to say: its names and
// limits are listed there. Throws UsageError for a word that is none.
[[nodiscard]] std::string changes_of(std::span<const std::string> words);

// What the server says of them: {"setting": {"from": …, "to": …}}. A line for each, or with --json as it is.
Exit show_changes(const Invocation& invocation, const std::string& changed);

}  // namespace millrace::cli
