#pragma once
// `millrace jobs cancel|retry|replay|discard --queue Q …`: what a filter chooses, and with --yes what becomes of it.

#include "cli/command.hpp"
#include "core/ids.hpp"
#include "storage/operator_store.hpp"

#include <span>
#include <string>
#include <vector>

namespace millrace::cli {

// Whether the command line chooses jobs otherwise than by their numbers.
[[nodiscard]] bool has_filter(const Arguments& arguments);

// The value of a filter's flag, empty when it is not given. Throws UsageError for one that is given and empty.
[[nodiscard]] std::string filter_text(const Arguments& arguments, std::string_view flag);

// `ids` make the choice smaller. However many jobs: they are changed a thousand at a time, each thousand in one
// transaction, and an interruption waits for the end of the one at hand. Exit::nothing when no job matches.
Exit change_many(const Invocation& invocation, storage::OperatorStore& store, const std::string& verb,
                 storage::ManyAction action, std::span<const core::JobId> ids);

}  // namespace millrace::cli
