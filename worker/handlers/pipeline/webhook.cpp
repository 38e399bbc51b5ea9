#include "handlers/pipeline/webhook.hpp"

#include "adapters/hmac.hpp"
#include "core/printable.hpp"
#include "handlers/pipeline/service_client.hpp"
#include "storage/webhook_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace millrace::handlers::pipeline {
namespace {

constexpr std::size_t max_quoted = 300;  // bytes of an answer in an error
constexpr std::chrono::seconds limit{30};
constexpr std::size_t max_answer = std::size_t{64} * 1024;

struct Telling {
    std::string event;
    std::string sink;
};

// Nothing when the payload is not as it must be.
std::optional<Telling> read(const std::string& payload) {
    const auto object = nlohmann::json::parse(payload, nullptr, false);
    if (!object.is_object() || object.size() != 2) return std::nullopt;
    const auto event = object.find("event");
    const auto sink = object.find("sink");
    if (event == object.end() || sink == object.end() || !event->is_string() || !sink->is_string()) return std::nullopt;
    return Telling{event->get<std::string>(), sink->get<std::string>()};
}

core::Outcome judged(const adapters::HttpAnswer& answer) {
    if (answer.status >= 200 && answer.status < 300) {
        return core::Completed{nlohmann::json{{"status", answer.status}}.dump(), {}};
    }
    const auto said =
        fmt::format("the webhook answered {}: {}", answer.status, core::printable(answer.body, max_quoted));
    if (is_passing(answer.status)) return core::Failed{said, patience_of(answer)};
    return core::Discarded{said};
}

}  // namespace

core::Outcome Webhook::run(const core::Job& job, std::stop_token stop) {
    const auto telling = read(job.payload);
    if (!telling) return core::Discarded{R"(the payload must be {"event": …, "sink": …}, both texts)"};
    const auto delivery = [&] {
        const auto session = sessions_.lend("pipeline");
        return storage::pipeline::WebhookStore{*session, counts_}.find({telling->event, telling->sink});
    }();
    if (!delivery) return core::Discarded{"the event or the sink is gone"};

    adapters::HttpRequest request;
    request.method = "POST";
    request.url = delivery->url;
    request.headers = {{"Content-Type", "application/cloudevents+json; charset=utf-8"}};
    if (!job.traceparent.empty()) request.headers.push_back({"traceparent", job.traceparent});
    request.body = delivery->body;
    request.limits.total = limit;
    request.limits.body = max_answer;
    request.limits.excess = adapters::HttpLimits::Excess::is_cut_off;  // its status is all that counts
    if (!delivery->secret_variable.empty()) {
        const auto secret = secrets_.find(delivery->secret_variable);
        if (!secret) {
            return core::Failed{fmt::format("this worker has no variable {}; names begin with {}",
                                            delivery->secret_variable, Secrets::prefix),
                                {}};
        }
        request.headers.push_back(
            {"X-Millrace-Signature", "sha256=" + adapters::hex(adapters::hmac_sha256(*secret, request.body))});
    }
    try {
        return judged(http_.send(request, stop));
    } catch (const adapters::HttpError& error) {
        if (error.reason() == adapters::HttpError::Reason::unfit) return core::Discarded{error.what()};
        return core::Failed{error.what(), {}};
    }
}

}  // namespace millrace::handlers::pipeline
