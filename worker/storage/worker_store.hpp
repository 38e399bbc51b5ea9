#pragma once
// A worker session's row: opened, kept alive, closed.
//
// Thread rule: as the Session.

#include "core/ids.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

struct WorkerInfo {
    std::string name;
    std::string version;
    std::vector<std::string> queues;
    std::chrono::milliseconds lease;
    std::optional<std::vector<std::string>> kinds = {};  // it is handed no others; none: whatever comes
};

enum class Draining { no, yes };

// An attempt that somebody wants to stop.
struct CancelRequest {
    core::Fence fence;
    core::JobId job;

    // NOLINTNEXTLINE(modernize-use-nullptr): as in core/ids.hpp
    friend auto operator<=>(const CancelRequest&, const CancelRequest&) = default;
};

class WorkerStore {
public:
    explicit WorkerStore(Session& session) : session_{session} {}

    // Also tells the server this host's name and process id.
    [[nodiscard]] core::WorkerId open(const WorkerInfo& worker);

    // Throws what `open` would throw; opens none.
    void rehearse(const WorkerInfo& worker);

    // Renews the lease from the moment the server runs this. Throws SessionEnded when somebody has ended it.
    void heartbeat(core::WorkerId worker, Draining draining);

    // What this session runs and should stop.
    [[nodiscard]] std::vector<CancelRequest> cancel_requests(core::WorkerId worker);

    // Whether statements of this role have waited for a synchronous standby for so long.
    [[nodiscard]] bool waits_for_standby(std::chrono::milliseconds how_long);

    // Gives back what the session still holds, no attempt counted; returns how many. Throws SessionEnded, and an Error
    // that `is_locked` when somebody holds one of those jobs for longer than a second.
    int close(core::WorkerId worker);

private:
    Session& session_;
};

}  // namespace millrace::storage
