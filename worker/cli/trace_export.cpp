#include "cli/trace_export.hpp"

#include "engine/pause.hpp"
#include "engine/time_limit.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace millrace::cli {

TraceExport::TraceExport(adapters::Otlp::Settings settings, engine::Spans& spans, ops::Log& log)
    : otlp_{std::move(settings)}, spans_{spans}, log_{log}, thread_{[this](const std::stop_token& stop) {
          run(stop);
      }} {}

TraceExport::~TraceExport() {
    const engine::TimeLimit limit{is_refused_ ? std::chrono::milliseconds{0} : farewell};
    const std::stop_callback hurry{limit.token(), [this] { give_up_.request_stop(); }};
    thread_.request_stop();
    thread_.join();
}

// Whatever happens here is nothing to end a process for.
void TraceExport::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        try {
            export_until(stop);
        } catch (const std::exception& error) {
            note(error.what());
            engine::pause(stop, first_wait);
        }
    }
}

void TraceExport::export_until(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const auto batch = spans_.take(most_at_once, every, stop);
        if (!batch.empty()) deliver(batch, stop);
        if (batch.size() < most_at_once) engine::pause(stop, every);  // so that spans gather
    }
    say_farewell(stop);
}

void TraceExport::deliver(const Batch& batch, const std::stop_token& stop) {
    auto wait = first_wait;
    for (int attempt = 1;; ++attempt) {
        const auto answer = otlp_.send(batch, give_up_.get_token());
        // When there is no more time, it is not the collector's fault.
        if (!give_up_.stop_requested()) {
            is_refused_ = answer.taken == 0;
            note(answer.problem);
        }
        if (answer.is_passing && attempt < most_tries) {
            engine::pause(stop, std::max(answer.patience, wait));
            wait *= 2;
            if (!stop.stop_requested()) continue;
        }
        spans_.exported += answer.taken;
        spans_.dropped += batch.size() - answer.taken;
        return;
    }
}

// No batch is tried twice any more.
void TraceExport::say_farewell(const std::stop_token& stop) {
    while (!is_refused_ && !give_up_.stop_requested()) {
        const auto batch = spans_.take(most_at_once, std::chrono::milliseconds{0}, {});
        if (batch.empty()) return;
        deliver(batch, stop);
    }
}

void TraceExport::note(const std::string& problem) {
    if (std::exchange(has_complained_, !problem.empty()) == !problem.empty()) return;
    if (problem.empty()) {
        log_.write(ops::Level::info, "the trace collector takes spans again");
    } else {
        log_.write(ops::Level::warning, "the trace collector does not take all spans", {{"reason", problem}});
    }
}

adapters::Otlp::Settings otlp_settings(const Options& options) {
    adapters::Otlp::Settings settings{.endpoint = options.trace_endpoint,
                                      .service_version = MILLRACE_VERSION,
                                      .instance = options.worker.name,
                                      .ca_file = options.trace_ca_file,
                                      .headers = {},
                                      .database = options.database_name};
    const auto& header = options.trace_header;
    if (const auto colon = header.find(": "); colon != header.npos) {
        settings.headers.push_back({header.substr(0, colon), header.substr(colon + 2)});
    }
    return settings;
}

std::string trace_problem(const Options& options) {
    const auto& file = options.trace_ca_file;
    if (file.empty() || access(file.c_str(), R_OK) == 0) return "";
    return fmt::format("trace.ca_file: cannot read {}. Check its path and who may read it.", file);
}

ops::CounterFamily span_counters(const engine::Spans& spans) {
    return {.name = "millrace_trace_spans_total",
            .help = "Spans of traced jobs, by what became of them.",
            .label = "fate",
            .counters = {{"exported", &spans.exported}, {"dropped", &spans.dropped}}};
}

}  // namespace millrace::cli
