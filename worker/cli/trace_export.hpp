#pragma once
// Takes spans to the collector of `trace.endpoint`, in the background, for as long as this lives.
//
// A batch that the collector does not take is dropped and counted: traces are worth no memory, and nobody's time. At
// the end what waits is sent, for as long as the collector takes it, two seconds at most.
//
// Thread rule: owns one thread. The spans outlive this.

#include "adapters/otlp.hpp"
#include "engine/spans.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "options.hpp"

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

namespace millrace::cli {

class TraceExport {
public:
    static constexpr std::size_t most_at_once = 512;
    static constexpr std::chrono::milliseconds every{500};
    static constexpr std::chrono::seconds farewell{2};

    // `log` is told when the collector stops taking spans, and when it takes them again.
    TraceExport(adapters::Otlp::Settings settings, engine::Spans& spans, ops::Log& log);
    ~TraceExport();
    TraceExport(const TraceExport&) = delete;
    TraceExport& operator=(const TraceExport&) = delete;

private:
    void run(const std::stop_token& stop);
    // How many spans were taken.
    [[nodiscard]] std::size_t send_some(std::chrono::milliseconds patience, const std::stop_token& stop);

    adapters::Otlp otlp_;
    engine::Spans& spans_;
    ops::Log& log_;
    std::stop_source give_up_;
    bool is_refused_ = false;
    std::jthread thread_;  // last: joined before what it uses is gone
};

[[nodiscard]] adapters::Otlp::Settings otlp_settings(const Options& options);
// What /metrics says of them.
[[nodiscard]] ops::CounterFamily span_counters(const engine::Spans& spans);

}  // namespace millrace::cli
