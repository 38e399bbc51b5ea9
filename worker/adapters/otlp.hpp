#pragma once
// Spans to a collector by OTLP over HTTP, as JSON: https://opentelemetry.io/docs/specs/otlp/#otlphttp
//
// What it answers decides what becomes of them:
//
//     2xx                      taken, but for those that it says it has rejected
//     429, 502, 503, 504       worth another try, after what Retry-After says
//     no answer at all         likewise
//     anything else            dropped: the same spans would be refused again
//
// Thread rule: one thread.

#include "adapters/http.hpp"
#include "core/trace.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::adapters {

class Otlp {
public:
    struct Settings {
        std::string endpoint;  // the whole address: http://localhost:4318/v1/traces
        std::string service_version;
        std::string instance;                  // which process this is, for people
        std::string ca_file = {};              // empty: the system's authorities
        std::vector<HttpHeader> headers = {};  // what else the collector wants: a token
        std::string database = {};             // whose jobs they are of; empty: there is only one
    };

    struct Answer {
        std::size_t taken = 0;
        std::string problem = {};               // why not all of them were; empty: they were
        bool is_passing = false;                // worth another try
        std::chrono::milliseconds patience{0};  // which the collector asks for
    };

    explicit Otlp(Settings settings);

    [[nodiscard]] Answer send(std::span<const core::Span> spans, const std::stop_token& stop);

private:
    const Settings settings_;
    Http http_;
};

// What an answer says of so many spans.
[[nodiscard]] Otlp::Answer otlp_answer(const HttpAnswer& answer, std::size_t spans);
// The body of a request. Instants of the steady clock become times of day as of now.
[[nodiscard]] std::string otlp_text(const Otlp::Settings& settings, std::span<const core::Span> spans);

}  // namespace millrace::adapters
