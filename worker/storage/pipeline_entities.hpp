#pragma once
// What the pipeline keeps, as values: docs/workloads/pipeline.md says what each of them means.

#include "core/ids.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace millrace::storage::pipeline {

// Counts the requests of one pipeline queue, in the order of ingestion. 0 stands for none.
using RequestNumber = core::Id<struct RequestNumberTag, std::int64_t>;

enum class RequestState { accepted, processing, succeeded, failed, cancelled, superseded };
enum class BuildStrategy { full, incremental_since_green };
enum class BuildStatus { accepted, running, succeeded, failed, cancelled };
enum class PromotionOutcome { moved, was_there, vanished };

[[nodiscard]] constexpr bool is_terminal(RequestState state) {
    return state != RequestState::accepted && state != RequestState::processing;
}
[[nodiscard]] constexpr bool is_terminal(BuildStatus status) {
    return status != BuildStatus::accepted && status != BuildStatus::running;
}

struct Queue {
    std::string name;
    std::string job_queue;  // where the jobs of its stages go
    std::string source_control;
    std::string source_settings;  // JSON text
    std::string build_runner;
    int max_concurrent = 1;
    std::chrono::milliseconds max_validation{0};
    std::chrono::milliseconds poll_accepted{0};
    std::chrono::milliseconds poll_running{0};
    RequestNumber latest_request;
    RequestNumber last_green_request;
    std::optional<std::string> last_green_uri;
    std::optional<std::string> promotion_ref;  // a branch that follows the last green
    std::int64_t version = 0;
};

struct RequestKey {
    std::string queue;
    RequestNumber number;
};

struct Request {
    RequestKey key;
    std::string uri;
    RequestState state = RequestState::accepted;
    std::optional<BuildStrategy> strategy;  // both pinned with the admission
    std::optional<std::string> base_uri;
    int attempt = 1;    // above 1: an operator has asked for it again
    int first_run = 1;  // of this attempt
    // By the repository's clock; nothing: nobody has asked. The first that is written stands.
    std::optional<std::chrono::sys_seconds> committed;
    bool is_failed_closed = false;  // a stage will never be run again; until another attempt
    std::int64_t version = 0;
};

struct BuildKey {
    std::string queue;
    std::string id;  // minted by the build runner
};

struct Build {
    BuildKey key;
    RequestNumber request;
    std::string project;  // empty: the whole repository
    int run = 1;          // which run of its request
    std::string commit;   // what the search for a culprit builds; empty: the head of the request
    BuildStatus status = BuildStatus::accepted;
    std::string reason;
    std::string log_location;
    bool is_current = true;    // its request has not been revalidated since
    bool is_repeated = false;  // another one of its project and attempt has failed before it
    std::int64_t version = 0;
    std::chrono::milliseconds age{0};  // by the server's clock, when it was read
};

struct FactKey {
    std::string queue;
    std::string uri;
    std::string project;
};

struct Fact {
    FactKey key;
    double degree = 1;  // 0 green … 1 fully broken
    RequestNumber request;
    bool is_flaky = false;  // broken and not broken, of one commit
};

// What the `command` runner executes, as it was configured when it was triggered.
struct CommandRun {
    BuildKey key;
    RequestNumber request;
    std::string project;
    int run = 1;
    std::optional<std::string> base_uri;
    std::string head_uri;
    std::vector<std::string> argv;
    std::chrono::milliseconds time_limit{0};
    BuildStatus status = BuildStatus::accepted;
    int attempt = 0;
    std::uint64_t memory_limit = 0;  // bytes; 0: none
    std::uint64_t output_limit = 0;
    std::uint64_t disk_limit = 0;
};

// One execution of it; only the last one that was started may write the log.
struct RunKey {
    BuildKey build;
    int attempt = 0;
};

struct LogText {
    std::int64_t position = 0;  // bytes of the log before it
    std::string text;
};

struct CommandEnd {
    BuildStatus status = BuildStatus::failed;  // succeeded or failed
    std::string reason;
    std::optional<int> exit_code;
    std::string log_tail;
    std::optional<std::string> target_graph;  // JSON text
};

// An update writes a whole entity over the version that was read; which version comes next is for the writer to say.
struct VersionChange {
    std::int64_t from = 0;
    std::int64_t to = 0;
};
[[nodiscard]] constexpr VersionChange next(std::int64_t version) {
    return {version, version + 1};
}

class NotFound : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class AlreadyExists : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Somebody else has written the entity since it was read.
class VersionMismatch : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace millrace::storage::pipeline
