#pragma once
// The workers of this process, one for each database that it serves, for those who look after it.
//
// Thread rule: any thread.

#include "core/guarded.hpp"
#include "engine/worker.hpp"
#include "ops/supervisor.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace millrace::cli {

class Workers {
public:
    // The databases' names, for messages.
    explicit Workers(std::span<const std::string> databases);

    // That database has this worker, while this lives.
    class Place {
    public:
        // `installation` says which it is in truth. Throws std::runtime_error when another name has brought a worker
        // there already: two addresses of one database are a mistake, and the database that was meant is not served.
        Place(Workers& workers, std::size_t database, const engine::Worker& worker, const std::string& installation);
        ~Place();  // when it returns, nobody looks at the worker any more
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

    private:
        Workers& workers_;
        const std::size_t database_;
    };

    // Ready as soon as one is: others may be away for long, and a supervisor looks only after those that are ready.
    // Alive as long as none hangs: one that has held no session yet waits for its database, however long.
    [[nodiscard]] ops::Watching::State state() const;

private:
    struct Entry {
        std::string database;
        const engine::Worker* worker = nullptr;  // null: has not started, or has ended
        std::string installation = {};           // empty without a worker
    };

    core::Guarded<std::vector<Entry>> entries_;
};

}  // namespace millrace::cli
