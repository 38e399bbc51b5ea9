#pragma once
// Jobs as a worker sees them: claimed, settled, waited for.
//
// All verbs throw ConnectionLost, and Error for what the server refuses. A claim in doubt may have handed out jobs that
// nobody knows of; a settle in doubt is repeated, which the fence makes harmless.
//
// Thread rule: as the Session.

#include "core/ids.hpp"
#include "core/job.hpp"
#include "core/outcome.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace millrace::storage {

struct Settlement {
    core::JobId job;
    core::Fence fence;
    core::Outcome outcome;
};

class JobStore {
public:
    static constexpr std::size_t max_claim = 1000;
    static constexpr std::size_t max_settle = 1000;
    static constexpr std::chrono::milliseconds lock_patience{1000};

    explicit JobStore(Session& session) : session_{session} {}

    // Up to `limit` jobs, at most `max_claim`. Committed without waiting for the disk: what a crash of the server
    // forgets is available again. Throws SessionEnded.
    [[nodiscard]] std::vector<core::Job> claim(core::WorkerId worker, const std::string& queue, std::size_t limit);

    // At most `max_settle`, in one transaction. Returns the jobs that their fences no longer hold: those results are
    // void, and all others are settled. Whoever holds one of their rows for longer than `patience` has all of it
    // refused: an Error that `is_locked`.
    [[nodiscard]] std::vector<core::JobId> settle(std::span<const Settlement> settlements,
                                                  std::chrono::milliseconds patience = lock_patience);

    // Throws LeaseLost when the fence does not hold the job any more: settled, or given to another worker. As patient
    // as a settle.
    void assert_lease(core::JobId job, core::Fence fence);

    // The wake-up flag: while it is up, enqueuing into the queue sends a notification.
    void raise_signal(const std::string& queue);
    void lower_signal(const std::string& queue);

    // Until a claim may find a token of the queue's rate; 0: there is one; nothing: it has no rate.
    [[nodiscard]] std::optional<std::chrono::milliseconds> next_token(const std::string& queue);

private:
    Session& session_;
};

// In the transaction that holds the job's effects: all or nothing. Throws LeaseLost when the fence does not hold it.
void settle_within(Transaction& transaction, const Settlement& settlement);

}  // namespace millrace::storage
