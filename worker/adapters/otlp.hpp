#pragma once
// Spans to a collector by OTLP over HTTP, as JSON: https://opentelemetry.io/docs/specs/otlp/#otlphttp
//
// Thread rule: one thread.

#include "adapters/http.hpp"
#include "core/trace.hpp"

#include <optional>
#include <span>
#include <stop_token>
#include <string>

namespace millrace::adapters {

class Otlp {
public:
    struct Settings {
        std::string endpoint;  // the whole address: http://localhost:4318/v1/traces
        std::string service_version;
        std::string instance;  // which process this is, for people
        std::string ca_file = {};
    };

    explicit Otlp(Settings settings);

    // Why the collector did not take them; nothing when it did.
    [[nodiscard]] std::optional<std::string> send(std::span<const core::Span> spans, const std::stop_token& stop);

private:
    const Settings settings_;
    Http http_;
};

// The body of a request. Instants of the steady clock become times of day as of now.
[[nodiscard]] std::string otlp_text(const Otlp::Settings& settings, std::span<const core::Span> spans);

}  // namespace millrace::adapters
