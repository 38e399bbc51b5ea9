#pragma once
// Pipeline queues as a person configures and asks them.
//
// All verbs throw ConnectionLost, and Error for what the server refuses. Times come as ISO 8601 in UTC.
//
// Thread rule: as the Session.

#include "storage/session.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

struct PipelineChange {
    std::string queue;
    std::string outcome;  // created or changed
    std::string changed;  // a JSON array of settings
};

struct PipelineRow {
    std::string name;
    std::string remote;
    std::string ref;
    std::int64_t waiting = 0;
    std::int64_t processing = 0;
    std::int64_t latest_request = 0;
    std::int64_t last_green_request = 0;
    std::optional<std::string> last_green_uri;
    std::optional<double> looked_seconds_ago;
};

struct PipelineRequestRow {
    std::int64_t number = 0;
    std::string uri;
    std::string state;
    std::string verdict;                 // green, broken, flaky or none
    std::optional<std::string> roll_up;  // of its projects, once they are complete
    std::optional<std::string> strategy;
    std::optional<std::string> culprit;
    std::optional<std::string> reason;  // why there is no verdict
    std::string accepted_at;
    double age_seconds = 0;
};

struct GateAnswer {
    std::string verdict;  // green, broken, flaky or none
    std::string uri;
    std::string state;      // of its request
    bool is_final = false;  // false: worth waiting for
};

struct GateQuestion {
    std::string queue;
    std::string commit;   // a URI, or the id by which one ends
    std::string project;  // empty: the whole repository
    std::optional<std::chrono::milliseconds> max_age;
};

// How a pipeline queue fares, in numbers; sql/pipeline/overview.sql says what each of them is.
struct PipelineNumbers {
    std::string queue;
    std::int64_t accepted = 0;
    std::int64_t processing = 0;
    std::int64_t succeeded = 0;
    std::int64_t failed = 0;
    std::int64_t cancelled = 0;
    std::int64_t superseded = 0;
    std::optional<double> last_green_committed_at;   // seconds since 1970
    std::optional<double> break_undetected_seconds;  // nothing: it is not broken
    std::optional<double> validation_seconds;
};

class PipelineOverview {
public:
    enum class Apply { dry_run, for_good };

    explicit PipelineOverview(Session& session) : session_{session} {}

    // `document` is JSON; see sql/pipeline/apply.sql. What differs.
    [[nodiscard]] std::vector<PipelineChange> apply(const std::string& document, Apply how);
    [[nodiscard]] std::string export_document();

    [[nodiscard]] std::vector<PipelineRow> queues();
    [[nodiscard]] std::vector<PipelineNumbers> numbers();  // for gauges; unlike the others, a worker may ask
    [[nodiscard]] std::vector<PipelineRequestRow> requests(const std::string& queue, int limit);  // the newest first

    // Nothing: nobody has reported that commit.
    [[nodiscard]] std::optional<GateAnswer> gate(const GateQuestion& question);
    // The attempt that begins.
    [[nodiscard]] int revalidate(const std::string& queue, const std::string& uri, const std::string& reason);

private:
    Session& session_;
};

}  // namespace millrace::storage
