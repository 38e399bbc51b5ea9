#pragma once
// Forks, their groups and runs as a person sees and changes them.
//
// All verbs throw ConnectionLost, and Error for what the server refuses. Times come as ISO 8601 in UTC, JSON as its
// text.
//
// Thread rule: as the Session.

#include "core/ids.hpp"
#include "storage/forks_store.hpp"
#include "storage/session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

struct ForkRow {
    std::string repo;
    std::string provider;
    std::string branches;  // a JSON array
    std::string group;
    std::string queue;
    bool enabled = true;
};

struct RegistryChange {
    std::string what;  // group or fork
    std::string name;
    std::string outcome;  // created or changed
    std::string changed;  // JSON: {"branches": {"from": …, "to": …}}
};

struct RunRow {
    std::int64_t id = 0;
    std::string group;
    std::string state;
    std::string started_at;
    double age_seconds = 0;
    std::optional<std::string> finished_at;
    std::int64_t branches = 0;
    std::int64_t updated = 0;
    std::int64_t current = 0;
    std::int64_t skipped = 0;
    std::int64_t failed = 0;
    std::int64_t diverged = 0;
    std::int64_t pending = 0;
    std::optional<std::int64_t> digest_job;
};

struct RunItem {
    std::string step;  // sync, search, distribute or rebase
    std::string fork;  // of a search: the upstream
    std::string branch;
    std::string state;
    std::optional<std::string> detail;
    std::optional<std::string> divergence;
    std::optional<std::int64_t> ahead;
    std::optional<std::int64_t> behind;
    std::optional<std::int64_t> job;  // none yet
    std::optional<std::string> item;  // of a search: the number of a pull request; of rebasing: the branch
};

// What a run would do: the branch of a fork, of an upstream that is searched, or rebased on; empty: the default branch.
struct PlannedStep {
    std::string step;  // sync, search, distribute or rebase
    std::string target;
    std::string branch;
};

class ForkRegistry {
public:
    enum class Import { dry_run, apply };

    explicit ForkRegistry(Session& session) : session_{session} {}

    [[nodiscard]] std::vector<ForkRow> forks();
    // `document` is JSON; see sql/forks/import.sql. What differs.
    [[nodiscard]] std::vector<RegistryChange> import(const std::string& document, Import how);
    [[nodiscard]] std::string export_document();
    void enable(const std::string& repo);
    void disable(const std::string& repo);
    // One job for each branch, or for the given one.
    [[nodiscard]] std::vector<core::JobId> sync(const std::string& repo, const std::optional<std::string>& branch);

    // The newest first.
    [[nodiscard]] std::vector<RunRow> runs(int limit);
    [[nodiscard]] std::optional<RunRow> run(std::int64_t id);
    [[nodiscard]] std::vector<RunItem> items(std::int64_t run);
    [[nodiscard]] std::int64_t start(const std::string& group);
    [[nodiscard]] std::vector<PlannedStep> plan(const std::string& group);
    [[nodiscard]] std::string cancel(std::int64_t run);  // cancelled or cancelling
    [[nodiscard]] int resume(std::int64_t run);          // how many jobs that makes

    // The run's last one, if it has any; and what one would tell now, as JSON.
    [[nodiscard]] std::optional<DigestText> digest(std::int64_t run);
    [[nodiscard]] std::string digest_content(std::int64_t run);

private:
    Session& session_;
};

}  // namespace millrace::storage
