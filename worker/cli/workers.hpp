#pragma once
// The workers of this process, one for each database that it serves, for those who look after it.
//
// Thread rule: any thread.

#include "core/guarded.hpp"
#include "engine/worker.hpp"
#include "ops/supervisor.hpp"

#include <cstddef>
#include <vector>

namespace millrace::cli {

class Workers {
public:
    explicit Workers(std::size_t databases) : workers_{std::vector<const engine::Worker*>(databases)} {}

    // That database has this worker, while this lives.
    class Place {
    public:
        Place(Workers& workers, std::size_t database, const engine::Worker& worker);
        ~Place();  // when it returns, nobody looks at the worker any more
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

    private:
        Workers& workers_;
        const std::size_t database_;
    };

    // Ready when all are. Alive as long as none hangs: one that has not started, or has ended, does not.
    [[nodiscard]] ops::Watching::State state() const;

private:
    core::Guarded<std::vector<const engine::Worker*>> workers_;  // null: has not started, or has ended
};

}  // namespace millrace::cli
