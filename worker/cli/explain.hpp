#pragma once
// `millrace jobs explain ID`: why a job does not run, or where it is, and what to do about it.

#include "cli/command.hpp"
#include "core/ids.hpp"
#include "storage/operator_store.hpp"

namespace millrace::cli {

// Exit::nothing for a job that there is not.
Exit explain_job(const Invocation& invocation, storage::OperatorStore& store, core::JobId id);

}  // namespace millrace::cli
