#pragma once
// What a person does to queues and jobs from the command line: look, enqueue, cancel, retry, replay, discard.
//
// Times come as ISO 8601 in UTC, ages in seconds by the server's clock, JSON as its text.
// All verbs throw ConnectionLost, and Error for what the server refuses; each is one transaction.
//
// Thread rule: as the Session.

#include "core/ids.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace millrace::storage {

// Empty: any.
struct JobFilter {
    std::string queue;
    std::string kind;
    std::string state;
    std::optional<std::string> error;                     // LIKE
    std::optional<std::chrono::milliseconds> older_than;  // since it has ended, else since it was enqueued
    std::optional<std::chrono::milliseconds> newer_than;
    int limit = 50;  // the newest
};

struct JobRow {
    core::JobId id;
    std::string queue;
    std::string kind;
    std::string state;
    int priority = 5;
    int attempt = 0;
    int max_attempts = 1;
    std::string enqueued_at;
    double age_seconds = 0;
    std::optional<std::string> run_at;
    std::optional<std::string> worker;
    std::optional<std::string> error;
};

struct JobDetail {
    JobRow row;
    std::optional<std::string> claimed_at;
    std::optional<std::string> deadline;
    std::optional<std::string> finished_at;
    std::optional<std::string> traceparent;
    std::string payload;
    std::optional<std::string> result;
    std::optional<std::string> progress;    // JSON; so is cancelling
    std::optional<std::string> cancelling;  // of a job that runs and was asked to stop
    std::string log = "[]";                 // a JSON array
};

// Why a job does not run, or where it is; the cause that must go first comes first.
struct Explanation {
    std::string cause;
    std::string why;
    std::optional<std::string> remedy;
};

// What the doctor says of an installation; the gravest come first.
struct Finding {
    std::string severity;  // critical, warning or note
    std::string finding;
    std::string about;
    std::string detail;
    std::string remedy;
};

struct QueueRow {
    std::string name;
    std::int64_t available = 0;
    std::int64_t scheduled = 0;
    std::int64_t blocked = 0;
    std::int64_t running = 0;
    std::int64_t dead = 0;
    std::int64_t completed = 0;  // attempts since the queue was created; so is failed
    std::int64_t failed = 0;
    std::int64_t cancelled = 0;
    std::optional<double> oldest_age_seconds;
    std::optional<std::string> paused_at;
    std::optional<int> max_running;
    std::optional<std::string> rate;  // as in "14 per second"; null: no limit
};

struct QueuePolicy {
    int max_attempts = 10;
    std::optional<std::chrono::milliseconds> timeout;
    std::chrono::milliseconds retry_base{std::chrono::seconds{5}};
    std::chrono::milliseconds retry_cap{std::chrono::hours{1}};
    int max_payload_bytes = 1024 * 1024;
    std::chrono::milliseconds retention{std::chrono::hours{7 * 24}};
    std::optional<int> max_running;
    int key_limit = 1;
};

// How to enqueue, whatever the payloads.
struct EnqueueOrder {
    std::string queue;
    std::string kind;
    int priority = 5;
    std::optional<std::string> run_at;  // any form of time that PostgreSQL reads
    std::optional<std::chrono::milliseconds> delay;
    std::optional<int> max_attempts;
    std::optional<std::chrono::milliseconds> timeout;
    std::optional<std::string> concurrency_key;
    std::optional<std::string> traceparent;
    std::optional<std::string> expires_at;  // as run_at
};

// Of one job: none is enqueued while another has the key. See enqueue_unique.sql.
struct UniqueOrder {
    std::string key;
    std::optional<std::string> until;                    // started or finished
    std::optional<std::chrono::milliseconds> taken_for;  // instead
    std::vector<std::string> replaces;                   // payload, run_at, priority
};

struct UniqueAnswer {
    core::JobId id;
    bool is_new = true;
    bool has_replaced = false;
};

enum class OperatorAction { cancel, retry, replay };

enum class ManyAction { cancel, retry, replay, discard };
enum class ManyMode { dry_run, change };

struct ManyAnswer {
    int matched = 0;
    int changed = 0;
    int skipped = 0;  // moved meanwhile, held by somebody, or with a unique key that another job has
    bool has_more = false;
};

class OperatorStore {
public:
    static constexpr std::size_t max_enqueue = 50'000;  // payloads in one call

    explicit OperatorStore(Session& session) : session_{session} {}

    [[nodiscard]] std::vector<JobRow> jobs(const JobFilter& filter);
    [[nodiscard]] std::optional<JobDetail> job(core::JobId id);
    [[nodiscard]] std::vector<Explanation> explain(core::JobId id);
    [[nodiscard]] std::vector<Finding> findings();
    [[nodiscard]] std::vector<QueueRow> queues();

    // The job's state afterwards.
    std::string act(OperatorAction action, core::JobId id);

    // `filter` is a JSON object, see operate_many.sql. At most `max_jobs`, 10,000, in one transaction.
    ManyAnswer act_on_many(ManyAction action, const std::string& queue, const std::string& filter, int max_jobs,
                           ManyMode mode);

    void create_queue(const std::string& name, const QueuePolicy& policy);

    // `changes` and the answer are JSON objects, see configure_queue.sql.
    std::string configure_queue(const std::string& name, const std::string& changes);

    // Whether that changed anything.
    bool pause_queue(const std::string& name);
    bool resume_queue(const std::string& name);

    // Makes this database the home of its queues: a restored or cloned one runs nothing before that.
    void adopt();

    // Payloads are JSON texts. All of them are enqueued, or none.
    std::vector<core::JobId> enqueue(const EnqueueOrder& order, std::span<const std::string> payloads);

    // The job that was enqueued, or the one that has its key.
    UniqueAnswer enqueue_unique(const EnqueueOrder& order, const UniqueOrder& unique, const std::string& payload);

    // Which payload is the first that the server refuses, and how it says so; nothing when it takes them all, or
    // refuses the order whatever the payloads. Enqueues none.
    struct Refusal {
        std::size_t index = 0;
        std::string reason;
        std::string hint;
    };
    [[nodiscard]] std::optional<Refusal> first_refused(const EnqueueOrder& order,
                                                       std::span<const std::string> payloads);

private:
    Session& session_;
};

}  // namespace millrace::storage
