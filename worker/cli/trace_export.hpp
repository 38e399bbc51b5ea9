#pragma once
// Takes spans to the collector of `trace.endpoint`, in the background, for as long as this lives.
//
// A batch that the collector does not take is dropped and counted: traces are worth no memory, and nobody's time. One
// that it may take later is tried a few times more, while others wait in `spans`, as far as there is room.
//
// At the end what waits is sent, for as long as the collector takes it, two seconds at most; not at all to one that has
// taken nothing of late.
//
// Thread rule: owns one thread. The spans outlive this.

#include "adapters/otlp.hpp"
#include "engine/spans.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "options.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace millrace::cli {

class TraceExport {
public:
    static constexpr std::size_t most_at_once = 512;
    static constexpr std::chrono::milliseconds every{500};
    static constexpr std::chrono::seconds farewell{2};
    static constexpr int most_tries = 4;                          // with one batch
    static constexpr std::chrono::milliseconds first_wait{1000};  // before the second; doubled each time

    // `log` is told when the collector stops taking spans, and when it takes them again.
    TraceExport(adapters::Otlp::Settings settings, engine::Spans& spans, ops::Log& log);
    ~TraceExport();
    TraceExport(const TraceExport&) = delete;
    TraceExport& operator=(const TraceExport&) = delete;

private:
    void run(const std::stop_token& stop);
    void export_until(const std::stop_token& stop);
    using Batch = std::vector<core::Span>;
    void deliver(const Batch& batch, const std::stop_token& stop);
    void say_farewell(const std::stop_token& stop);
    void note(const std::string& problem);

    adapters::Otlp otlp_;
    engine::Spans& spans_;
    ops::Log& log_;
    std::stop_source give_up_;
    bool has_complained_ = false;          // of the thread
    std::atomic<bool> is_refused_{false};  // it has taken nothing of the last batch
    std::jthread thread_;                  // last: joined before what it uses is gone
};

[[nodiscard]] adapters::Otlp::Settings otlp_settings(const Options& options);
// Why nothing can be sent as configured, naming the setting and the remedy; empty when there is no reason.
[[nodiscard]] std::string trace_problem(const Options& options);
// What /metrics says of them.
[[nodiscard]] ops::CounterFamily span_counters(const engine::Spans& spans);

}  // namespace millrace::cli
