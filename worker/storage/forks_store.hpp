#pragma once
// Forks as a job of theirs sees them: where to work, what an earlier attempt was about to push, what came of it.
//
// All verbs throw ConnectionLost, and Error for what the server refuses.
//
// Thread rule: as the Session.

#include "core/ids.hpp"
#include "core/job.hpp"
#include "storage/session.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace millrace::storage {

// One branch of a fork, as a job names it.
struct ForkBranch {
    std::string fork;  // org/name
    std::string branch;
    std::optional<std::int64_t> run;
};

struct PushIntent {
    std::string before_sha;
    std::string after_sha;
};

struct SyncTarget {
    enum class Provider { git, github };

    Provider provider = Provider::git;
    std::string origin_url;  // empty unless the provider is git
    std::string upstream_url;
    bool is_enabled = true;
    bool is_listed = true;             // the fork has this branch among those to be synchronised
    std::optional<PushIntent> intent;  // of an earlier attempt of the same job
};

enum class SyncState {
    updated,
    current,
    conflict,  // a person must decide
    skipped,
    failed,
};

[[nodiscard]] const char* name_of(SyncState state);

struct SyncResult {
    SyncState state = SyncState::failed;
    std::string before_sha;  // empty: unknown
    std::string after_sha;
    std::string detail;
};

class ForksStore {
public:
    explicit ForksStore(Session& session) : session_{session} {}

    // Nothing when there is no such fork.
    [[nodiscard]] std::optional<SyncTarget> target(const ForkBranch& branch, core::JobId job);

    // Committed when this returns. Throws LeaseLost when the job is somebody else's by now.
    void intend_push(const core::Job& job, const PushIntent& intent);

private:
    Session& session_;
};

// In the transaction that settles the job.
void record_sync(Transaction& transaction, core::JobId job, const ForkBranch& branch, const SyncResult& result);

}  // namespace millrace::storage
