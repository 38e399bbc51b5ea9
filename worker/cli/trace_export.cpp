#include "cli/trace_export.hpp"

#include "engine/pause.hpp"
#include "engine/time_limit.hpp"

#include <utility>

namespace millrace::cli {

TraceExport::TraceExport(adapters::Otlp::Settings settings, engine::Spans& spans, ops::Log& log)
    : otlp_{std::move(settings)}, spans_{spans}, log_{log}, thread_{[this](const std::stop_token& stop) {
          run(stop);
      }} {}

TraceExport::~TraceExport() {
    const engine::TimeLimit limit{farewell};
    const std::stop_callback hurry{limit.token(), [this] { give_up_.request_stop(); }};
    thread_.request_stop();
    thread_.join();
}

void TraceExport::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        if (send_some(every, stop) < most_at_once) engine::pause(stop, every);  // so that spans gather
    }
    while (send_some(std::chrono::milliseconds{0}, stop) > 0) {
    }
}

std::size_t TraceExport::send_some(std::chrono::milliseconds patience, const std::stop_token& stop) {
    const auto batch = spans_.take(most_at_once, patience, stop);
    if (batch.empty()) return 0;
    const auto problem = otlp_.send(batch, give_up_.get_token());
    (problem ? spans_.dropped : spans_.exported) += batch.size();
    if (give_up_.stop_requested()) return 0;  // there is no more time, which is not the collector's fault
    if (problem.has_value() != is_refused_) {
        is_refused_ = problem.has_value();
        if (problem) {
            log_.write(ops::Level::warning, "the trace collector takes no spans, they are dropped",
                       {{"reason", *problem}});
        } else {
            log_.write(ops::Level::info, "the trace collector takes spans again");
        }
    }
    return problem ? 0 : batch.size();
}

adapters::Otlp::Settings otlp_settings(const Options& options) {
    return {.endpoint = options.trace_endpoint,
            .service_version = MILLRACE_VERSION,
            .instance = options.worker.name,
            .ca_file = {}};
}

ops::CounterFamily span_counters(const engine::Spans& spans) {
    return {.name = "millrace_trace_spans_total",
            .help = "Spans of traced jobs, by what became of them.",
            .label = "fate",
            .counters = {{"exported", &spans.exported}, {"dropped", &spans.dropped}}};
}

}  // namespace millrace::cli
