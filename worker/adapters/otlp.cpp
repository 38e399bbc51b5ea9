#include "adapters/otlp.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

namespace millrace::adapters {
namespace {

using nlohmann::json;
using std::chrono::nanoseconds;

constexpr int error_status = 2;  // STATUS_CODE_ERROR
constexpr HttpLimits limits{
    .connect = std::chrono::seconds{2}, .total = std::chrono::seconds{5}, .body = std::size_t{64} * 1024};

json attribute(std::string_view key, const core::Span::Value& value) {
    // int64 is a text in the JSON of Protocol Buffers
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return {{"key", key}, {"value", {{"intValue", std::to_string(*number)}}}};
    }
    return {{"key", key}, {"value", {{"stringValue", std::get<std::string>(value)}}}};
}

// Of the two clocks the one goes steadily and the other knows what time it is.
class TimeOfDay {
public:
    [[nodiscard]] std::string text(std::chrono::steady_clock::time_point at) const {
        const auto since_1970 = system_now_ + std::chrono::duration_cast<nanoseconds>(at - steady_now_);
        return std::to_string(since_1970.count());
    }

private:
    std::chrono::steady_clock::time_point steady_now_ = std::chrono::steady_clock::now();
    nanoseconds system_now_ =
        std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch());
};

json span_json(const core::Span& span, const TimeOfDay& time) {
    auto attributes = json::array();
    for (const auto& [key, value] : span.attributes)
        attributes.push_back(attribute(key, value));
    if (!span.error.empty()) attributes.push_back(attribute("error.type", span.error));
    json object{{"traceId", span.context.trace},
                {"spanId", span.context.span},
                {"parentSpanId", span.parent},
                {"name", span.name},
                {"kind", static_cast<int>(span.kind)},
                {"startTimeUnixNano", time.text(span.begun_at)},
                {"endTimeUnixNano", time.text(span.ended_at)},
                {"attributes", std::move(attributes)}};
    if (!span.error.empty()) object["status"] = {{"code", error_status}};
    return object;
}

bool is_passing(int status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

// In seconds; a date is let be, our own pauses are good enough then.
std::chrono::seconds patience_of(const HttpAnswer& answer) {
    constexpr int most = 3600;
    const auto text = answer.header("retry-after");
    int seconds = 0;
    const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool is_number = failure == std::errc{} && rest == text.data() + text.size();
    return std::chrono::seconds{is_number ? std::clamp(seconds, 0, most) : 0};
}

// ExportTracePartialSuccess. Whoever says it in another way, or not at all, has taken everything.
std::size_t rejected_in(const HttpAnswer& answer, std::size_t spans) {
    const auto body = json::parse(answer.body, nullptr, false);
    const auto partly = body.is_object() ? body.value("partialSuccess", json{}) : json{};
    const auto said = partly.is_object() ? partly.value("rejectedSpans", json{}) : json{};
    if (said.is_number_unsigned()) return std::min(said.get<std::size_t>(), spans);
    if (!said.is_string()) return 0;
    const auto& text = said.get_ref<const std::string&>();
    std::size_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return std::min(number, spans);
}

}  // namespace

std::string otlp_text(const Otlp::Settings& settings, std::span<const core::Span> spans) {
    const TimeOfDay time;
    auto list = json::array();
    for (const auto& span : spans)
        list.push_back(span_json(span, time));
    const json scope{{"scope", {{"name", "millrace"}, {"version", settings.service_version}}},
                     {"spans", std::move(list)}};
    auto about_us = json::array({attribute("service.name", std::string{"millrace"}),
                                 attribute("service.version", settings.service_version),
                                 attribute("service.instance.id", settings.instance)});
    if (!settings.database.empty()) about_us.push_back(attribute("millrace.database", settings.database));
    const json resource{{"attributes", std::move(about_us)}};
    const json whole{
        {"resourceSpans", json::array({json{{"resource", resource}, {"scopeSpans", json::array({scope})}}})}};
    return whole.dump(-1, ' ', false, json::error_handler_t::replace);
}

Otlp::Otlp(Settings settings) : settings_{std::move(settings)}, http_{{.ca_file = settings_.ca_file}} {}

Otlp::Answer Otlp::send(std::span<const core::Span> spans, const std::stop_token& stop) {
    try {
        HttpRequest request{.method = "POST",
                            .url = settings_.endpoint,
                            .headers = settings_.headers,
                            .body = otlp_text(settings_, spans),
                            .limits = limits};
        request.headers.push_back({"Content-Type", "application/json"});
        return otlp_answer(http_.send(request, stop), spans.size());
    } catch (const HttpError& error) {
        using Reason = HttpError::Reason;
        const bool is_passing = error.reason() == Reason::transport || error.reason() == Reason::timeout;
        return {.problem = error.what(), .is_passing = is_passing};
    } catch (const std::exception& error) {  // a lack of memory, too: its spans are not worth the process
        return {.problem = error.what()};
    }
}

Otlp::Answer otlp_answer(const HttpAnswer& answer, std::size_t spans) {
    if (answer.status >= 200 && answer.status < 300) {
        const auto rejected = rejected_in(answer, spans);
        return {.taken = spans - rejected,
                .problem = rejected == 0 ? "" : fmt::format("it rejected {} of {} spans", rejected, spans)};
    }
    return {.problem = fmt::format("it answered {}", answer.status),
            .is_passing = is_passing(answer.status),
            .patience = patience_of(answer)};
}

}  // namespace millrace::adapters
