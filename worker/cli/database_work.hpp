#pragma once
// What a worker process does for one database: waits for it, works on it, drains. Each is a millrace for itself, with a
// worker, handlers and a place in the cache of its own; nothing is shared with the others but the process.
//
// Thread rule: each on a thread of its own.

#include "cli/joint_end.hpp"
#include "cli/reload.hpp"
#include "cli/workers.hpp"
#include "engine/settings.hpp"
#include "ops/endpoints.hpp"
#include "ops/log.hpp"
#include "options.hpp"
#include "storage/session.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace millrace::cli {

struct Database {
    // `whole_log` outlives it.
    Database(const Options& all, const NamedDatabase& named, ops::Log& whole_log);

    const Options options;                    // as of a worker that serves this database alone
    const std::unique_ptr<ops::Log> own_log;  // of a named one
    ops::Log& log;
    const storage::SessionFactory sessions;
};

// One, without a name, unless there are several.
[[nodiscard]] std::vector<std::unique_ptr<Database>> databases_of(const Options& options, ops::Log& log);

// Of all works.
struct Process {
    const engine::WorkerSettings& settings;
    Reload& reload;
    ops::Endpoints* endpoints;  // null: nobody is shown anything
    Workers& workers;
    JointEnd& end;
};

// Until a stop is requested. A database that is away is waited for. One that refuses this worker for good, or on which
// it has failed, is tried again after a while as long as there are others to work on.
void work_for(const Database& database, std::size_t number, const Process& process);

}  // namespace millrace::cli
