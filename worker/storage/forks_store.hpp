#pragma once
// Forks as a job of theirs sees them: where to work, what an earlier attempt was about to push, what came of it.
//
// All verbs throw ConnectionLost, and Error for what the server refuses.
//
// Thread rule: as the Session.

#include "core/ids.hpp"
#include "core/job.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
    std::string upstream;  // org/name, when it is known by that
    bool is_enabled = true;
    bool compares = false;             // it is of interest how the fork differs from its upstream
    bool is_listed = true;             // the fork has this branch among those to be synchronised
    bool was_announced = false;        // a push, or a merge by a forge, by an earlier attempt of the same job
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

// How a fork's branch differs from its upstream.
struct Divergence {
    int ahead = 0;
    int behind = 0;
    std::vector<std::string> subjects;  // of the commits ahead, the newest first, perhaps not all; any bytes
};

struct SyncResult {
    SyncState state = SyncState::failed;
    std::string before_sha;  // empty: unknown
    std::string after_sha;
    std::string detail;                    // any bytes
    std::optional<Divergence> divergence;  // nothing: unknown
};

class ForksStore {
public:
    explicit ForksStore(Session& session) : session_{session} {}

    // Nothing when there is no such fork.
    [[nodiscard]] std::optional<SyncTarget> target(const ForkBranch& branch, core::JobId job);

    // Committed when these return. They throw LeaseLost when the job is somebody else's by now.
    void intend_push(const core::Job& job, const PushIntent& intent);
    void intend_merge(const core::Job& job);   // by a forge, which knows the commits
    void withdraw_push(const core::Job& job);  // what was announced, and by no means happened

    // A forge has asked for a rest, for all jobs of all workers that use this token; and how long it still is, 0: none.
    void pause_token(const std::string& token, std::chrono::seconds wait);
    [[nodiscard]] std::chrono::seconds token_wait(const std::string& token);

    // One of the token's places is the job's until its attempt ends; false: all are taken. Throws LeaseLost.
    [[nodiscard]] bool take_place(const core::Job& job, const std::string& token);

private:
    Session& session_;
};

// In the transaction that settles the job.
void record_sync(Transaction& transaction, core::JobId job, const ForkBranch& branch, const SyncResult& result);

struct BegunRun {
    std::optional<std::int64_t> run;  // none: no fork is enabled
    bool has_started = true;          // false: it was active already
    bool is_overdue = false;          // for more than a day
};

// In the transaction that settles the job, too, so that a schedule's job starts one run.
[[nodiscard]] BegunRun begin_run(Transaction& transaction, const std::string& group);

struct DigestText {
    std::string subject;
    std::string text;
    std::string html;
    int failures = 0;
};

// What a run has found, as JSON text: see sql/forks/digest.sql.
[[nodiscard]] std::string digest_content(Transaction& transaction, std::int64_t run);

// Records the digest, enqueues its mails and ends the run. What that came to, in words.
[[nodiscard]] std::string record_digest(Transaction& transaction, core::JobId job, std::int64_t run,
                                        const DigestText& digest);

}  // namespace millrace::storage
