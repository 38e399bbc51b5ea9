#include "storage/forks_store.hpp"

#include "core/printable.hpp"
#include "storage/array_literal.hpp"
#include "storage/translation.hpp"

#include <string_view>

namespace millrace::storage {
namespace {

constexpr auto target_statement =
    "select provider, origin_url, upstream_url, enabled, is_listed, intended_before, intended_after, compares,"
    " upstream, was_announced"
    "  from forks.sync_target(repo => $1, branch => $2, job_id => $3)";

constexpr auto intend_statement =
    "select forks.intend_push(fence => $1, job_id => $2, before_sha => $3, after_sha => $4)";

constexpr auto record_statement =
    "select forks.record_sync(job_id => $1, repo => $2, branch => $3, state => $4, before_sha => $5, after_sha => $6,"
    " detail => $7, run => $8, ahead => $9, behind => $10, subjects => $11::text[])";

constexpr auto digest_statement =
    "select forks.record_digest(job_id => $1, run => $2, subject => $3, text => $4, html => $5, failures => $6)";

constexpr std::size_t most_subject_bytes = 1000;
constexpr std::size_t most_detail_bytes = 4000;

}  // namespace

const char* name_of(SyncState state) {
    switch (state) {
        case SyncState::updated:
            return "updated";
        case SyncState::current:
            return "current";
        case SyncState::conflict:
            return "conflict";
        case SyncState::skipped:
            return "skipped";
        case SyncState::failed:
            return "failed";
    }
    __builtin_unreachable();
}

std::optional<SyncTarget> ForksStore::target(const ForkBranch& branch, core::JobId job) {
    const auto found = execute(session_, target_statement, branch.fork, branch.branch, job.value);
    if (found.empty()) return std::nullopt;
    const auto row = found.at(0);
    SyncTarget target;
    const std::string_view provider = row[0].c_str();
    target.provider = provider == "git" ? SyncTarget::Provider::git : SyncTarget::Provider::github;
    target.origin_url = row[1].as<std::string>("");
    target.upstream_url = row[2].as<std::string>("");
    target.is_enabled = row[3].as<bool>();
    target.is_listed = row[4].as<bool>();
    if (!row[5].is_null()) target.intent = PushIntent{row[5].c_str(), row[6].c_str()};
    target.compares = row[7].as<bool>();
    target.upstream = row[8].as<std::string>("");
    target.was_announced = row[9].as<bool>();
    return target;
}

void ForksStore::intend_push(const core::Job& job, const PushIntent& intent) {
    execute(session_, intend_statement, job.fence.value, job.id.value, intent.before_sha, intent.after_sha);
}

void ForksStore::intend_merge(const core::Job& job) {
    const std::optional<std::string> unknown;
    execute(session_, intend_statement, job.fence.value, job.id.value, unknown, unknown);
}

void ForksStore::withdraw_push(const core::Job& job) {
    execute(session_, "select forks.withdraw_push(fence => $1, job_id => $2)", job.fence.value, job.id.value);
}

void ForksStore::pause_token(const std::string& token, std::chrono::seconds wait) {
    execute(session_, "select forks.pause_token(token => $1, seconds => $2)", token, wait.count());
}

std::chrono::seconds ForksStore::token_wait(const std::string& token) {
    return std::chrono::seconds{execute(session_, "select forks.token_wait($1)", token).at(0).at(0).as<int>()};
}

bool ForksStore::take_place(const core::Job& job, const std::string& token) {
    constexpr auto statement = "select forks.take_place(fence => $1, job_id => $2, token => $3)";
    return execute(session_, statement, job.fence.value, job.id.value, token).at(0).at(0).as<bool>();
}

void record_sync(Transaction& transaction, core::JobId job, const ForkBranch& branch, const SyncResult& result) {
    std::optional<int> ahead;
    std::optional<int> behind;
    std::optional<std::string> subjects;
    if (const auto& divergence = result.divergence) {
        ahead = divergence->ahead;
        behind = divergence->behind;
        ArrayLiteral listed;
        for (const auto& subject : divergence->subjects)
            listed.add(core::printable(subject, most_subject_bytes));
        subjects = listed.text();
    }
    execute(transaction, record_statement, job.value, branch.fork, branch.branch, name_of(result.state),
            unless_empty(result.before_sha), unless_empty(result.after_sha),
            unless_empty(core::printable(result.detail, most_detail_bytes)), branch.run, ahead, behind, subjects);
}

BegunRun begin_run(Transaction& transaction, const std::string& group) {
    const auto row = execute(transaction, "select run, started, overdue from forks.begin_run($1)", group).at(0);
    return {row[0].as<std::optional<std::int64_t>>(), row[1].as<bool>(), row[2].as<bool>()};
}

std::string digest_content(Transaction& transaction, std::int64_t run) {
    return execute(transaction, "select forks.digest_content($1)", run).at(0).at(0).c_str();
}

std::string record_digest(Transaction& transaction, core::JobId job, std::int64_t run, const DigestText& digest) {
    const auto said = execute(transaction, digest_statement, job.value, run, digest.subject, digest.text, digest.html,
                              digest.failures);
    return said.at(0).at(0).c_str();
}

}  // namespace millrace::storage
