#include "handlers/pipeline/service_client.hpp"

#include "adapters/github_limit.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

namespace millrace::handlers::pipeline {
namespace {

using Kind = BuildRunnerError::Kind;

constexpr std::size_t max_shown = 300;               // bytes of an answer in an error
constexpr std::chrono::seconds call_limit{20};       // the pipeline queue may be locked meanwhile
constexpr std::chrono::seconds most_patience{3600};  // for what a service asks us to wait

}  // namespace

bool is_passing(int status) {
    return status == 408 || status == 429 || status >= 500;
}

// RFC 9110 lets Retry-After be a date as well; the queue's own backoff is good enough then.
std::optional<std::chrono::milliseconds> patience_of(const adapters::HttpAnswer& answer) {
    const auto text = answer.header("retry-after");
    int seconds = 0;
    const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (text.empty() || failure != std::errc{} || rest != text.data() + text.size() || seconds < 0) return std::nullopt;
    return std::min(std::chrono::seconds{seconds}, most_patience);
}

ServiceClient::ServiceClient(adapters::Http& http, Settings settings) : http_{http}, settings_{std::move(settings)} {}

nlohmann::json ServiceClient::call(const Call& call, std::initializer_list<int> wanted,
                                   const std::stop_token& stop) const {
    adapters::HttpRequest request;
    request.method = call.method;
    request.url = settings_.base_url + call.path;
    request.headers = settings_.headers;
    request.headers.push_back({"Authorization", "Bearer " + settings_.token});
    if (!call.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
    request.body = call.body;
    request.limits.total = call_limit;
    const auto what = fmt::format("{}, {} {}", settings_.name, call.method, call.path);
    adapters::HttpAnswer answer;
    try {
        answer = http_.send(request, stop);
    } catch (const adapters::HttpError& error) {
        const bool is_lasting = error.reason() == adapters::HttpError::Reason::unfit ||
                                error.reason() == adapters::HttpError::Reason::too_large;
        throw BuildRunnerError{is_lasting ? Kind::lasting : Kind::passing,
                               masked(fmt::format("{}: {}", what, error.what()))};
    }
    if (std::find(wanted.begin(), wanted.end(), answer.status) == wanted.end()) {
        // What GitHub calls forbidden may be forbidden for some minutes only, and then not for this build alone.
        const auto limit = adapters::github_limit(answer, most_patience);
        throw BuildRunnerError{
            limit || is_passing(answer.status) ? Kind::passing : Kind::lasting,
            fmt::format("{}: answered {}: {}", what, answer.status, core::printable(masked(answer.body), max_shown)),
            limit ? limit : patience_of(answer)};
    }
    const bool may_be_empty = answer.status == 202 || answer.status == 204;
    if (answer.status >= 300 || (may_be_empty && answer.body.empty())) return nullptr;
    auto body = nlohmann::json::parse(answer.body, nullptr, false);
    // It was cut off, or something between us and the service answers in its place: a page of a proxy, say.
    if (body.is_discarded()) throw BuildRunnerError{Kind::passing, what + ": the answer is not JSON"};
    return body;
}

std::string ServiceClient::masked(std::string text) const {
    for (auto found = text.find(settings_.token); !settings_.token.empty() && found != text.npos;
         found = text.find(settings_.token, found)) {
        text.replace(found, settings_.token.size(), "***");
    }
    return text;
}

}  // namespace millrace::handlers::pipeline
