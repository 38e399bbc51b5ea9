#pragma once
// Steps of a run beside the synchronisation of branches, as their jobs see them: what is to be done, what came of it.
//
// All verbs throw ConnectionLost, LeaseLost when the job is somebody else's by now, and Error for what the server
// refuses.
//
// Thread rule: as the Session.

#include "core/job.hpp"
#include "storage/forks_store.hpp"
#include "storage/session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

struct StepTarget {
    enum class Step { search, distribute, rebase };

    Step step = Step::search;
    std::string target;  // org/name, of an upstream that is searched, else of the fork
    std::string branch;  // searched, or rebased on
    std::string fork;    // org/name
    SyncTarget::Provider provider = SyncTarget::Provider::git;
    bool is_wanted = true;  // still
    std::string origin_url;
    std::vector<std::string> globs;
    std::vector<std::string> listed;  // branches that are synchronised
    std::string group;
    std::optional<std::string> template_path;
    std::string template_text;
    std::string period;                // two times in ISO 8601, in UTC, with .. between them: merged from … to …
    std::vector<std::string> rebased;  // branches, by an earlier attempt or before the run was resumed
    std::string intended;              // what the file was about to be; empty: nothing
    std::optional<PushIntent> intent;  // of an earlier attempt of the same job
};

// A pull request by its number, with its title; a branch, with what became of it.
struct StepItem {
    std::string item;
    std::string state;
    std::string detail;
};

struct StepResult {
    std::string state;
    std::string detail;
    std::vector<StepItem> items = {};
};

class ForkSteps {
public:
    explicit ForkSteps(Session& session) : session_{session} {}

    // Nothing when the job is no step of a run.
    [[nodiscard]] std::optional<StepTarget> target(core::JobId job);

    // Committed when these return.
    void intend(const core::Job& job, const std::string& intended);
    void record_item(const core::Job& job, const StepItem& item);

private:
    Session& session_;
};

// In the transaction that settles the job.
void record_step(Transaction& transaction, const core::Job& job, const StepResult& result);

// In that transaction, too: which stage comes next, in a word.
[[nodiscard]] std::string next_stage(Transaction& transaction, core::JobId job, std::int64_t run);

}  // namespace millrace::storage
