#pragma once
// Traces as W3C Trace Context and OpenTelemetry have them. Values only.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::core {

struct TraceContext {
    std::string trace;  // 32 hex digits
    std::string span;   // 16 hex digits
    // 2 hex digits: sampled, and whether the trace's id is random, which whoever passes it on has to keep
    std::string flags = "01";
};

// Nothing when it is no traceparent of https://www.w3.org/TR/trace-context/#traceparent-header, or one whose trace is
// not to be recorded (its flag "sampled" is not set).
[[nodiscard]] std::optional<TraceContext> sampled_context(std::string_view traceparent);
[[nodiscard]] std::string traceparent_of(const TraceContext& context);

// Something that took time and is part of a trace.
struct Span {
    enum class Kind { client = 3, producer = 4, consumer = 5 };  // the numbers of OTLP
    using Value = std::variant<std::string, std::int64_t>;
    using Attribute = std::pair<std::string_view, Value>;  // the key is a literal

    TraceContext context;
    std::string parent;  // the span above it
    std::string name;
    Kind kind = Kind::client;
    std::chrono::steady_clock::time_point begun_at;
    std::chrono::steady_clock::time_point ended_at;
    std::vector<Attribute> attributes;
    std::string error;  // what kind of; empty: none
};

}  // namespace millrace::core
