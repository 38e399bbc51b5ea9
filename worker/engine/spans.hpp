#pragma once
// What this process has to tell of traced jobs, until somebody takes it away to a collector.
//
// Only jobs whose producer gave a sampled traceparent are traced. Names and attributes are those of OpenTelemetry's
// conventions for messaging: enqueue (send), claim (receive), run (process), settle. Claim and run are children of
// the producer's span, settle of the run's; whatever the handler does elsewhere is the run's, too.
//
// Bounded and lossy: when more spans wait than may, new ones are dropped and counted, and nobody waits.
//
// Thread rule: any thread.

#include "core/job.hpp"
#include "core/outcome.hpp"
#include "core/trace.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::engine {

// A traced attempt.
struct JobTrace {
    core::TraceContext producer;
    core::TraceContext run;  // what the handler passes on
    core::JobId job;
    std::string queue;
    std::string kind;
    int attempt = 1;
};

class Spans {
public:
    using Clock = std::chrono::steady_clock;
    using Counter = std::atomic<std::uint64_t>;

    static constexpr std::size_t most_waiting = 8192;
    static constexpr std::string_view lost{"lost"};  // the outcome of an attempt that had no right to one any more

    struct Interval {
        Clock::time_point begun_at;
        Clock::time_point ended_at;
    };

    // Null when the job is not traced. Else the job's traceparent is the run's from now on.
    [[nodiscard]] static std::shared_ptr<const JobTrace> begin(core::Job& job);
    // The context of a new span below that one.
    [[nodiscard]] static core::TraceContext next(const core::TraceContext& parent);

    void note_claim(const JobTrace& trace, const Interval& time, std::size_t batch);
    // `outcome` is empty for a handler that settled by itself: its settle has it.
    void note_run(const JobTrace& trace, const Interval& time, std::string_view outcome);
    void note_settle(const JobTrace& trace, const Interval& time, std::string_view outcome, std::size_t batch);
    void record(core::Span span);

    // Waits for some, for so long, or until `stop` is requested.
    [[nodiscard]] std::vector<core::Span> take(std::size_t limit, std::chrono::milliseconds patience,
                                               const std::stop_token& stop);

    Counter exported{0};  // spans that a collector has taken
    Counter dropped{0};   // those for which there was no room, or which no collector took

private:
    std::mutex mutex_;  // protects all below
    std::condition_variable_any arrived_;
    std::deque<core::Span> waiting_;
};

// What is done with jobs, in our word and in that of the conventions.
struct Operation {
    std::string_view name;
    std::string_view type;
};
// The name and the attributes that a span about it has in any case.
[[nodiscard]] std::string name_of(const Operation& operation, const std::string& queue);
[[nodiscard]] std::vector<core::Span::Attribute> messaging_attributes(const Operation& operation,
                                                                      const std::string& queue);

}  // namespace millrace::engine
