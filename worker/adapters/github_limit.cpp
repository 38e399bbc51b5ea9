#include "adapters/github_limit.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>

namespace millrace::adapters {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr seconds usual_wait{60};  // what GitHub asks for when it does not say how long

std::string in_small_letters(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return text;
}

std::optional<std::int64_t> number_in(const HttpAnswer& answer, const std::string& header) {
    const auto text = answer.header(header);
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, number);
    return failure == std::errc{} && rest == end ? std::optional{number} : std::nullopt;
}

}  // namespace

std::string github_message(const HttpAnswer& answer) {
    const auto body = json::parse(answer.body, nullptr, false);
    const auto found = body.is_object() ? body.find("message") : body.end();
    return body.is_object() && found != body.end() && found->is_string() ? found->get<std::string>() : "";
}

bool says(const std::string& message, std::string_view words) {
    return in_small_letters(message).find(words) != std::string::npos;
}

std::optional<seconds> github_limit(const HttpAnswer& answer, seconds longest) {
    if (answer.status != 403 && answer.status != 429) return std::nullopt;
    const auto after = number_in(answer, "retry-after");
    const auto remaining = number_in(answer, "x-ratelimit-remaining");
    const bool is_limit =
        answer.status == 429 || after || remaining == std::int64_t{0} || says(github_message(answer), "rate limit");
    if (!is_limit) return std::nullopt;
    auto wait = usual_wait;
    if (after) {
        wait = seconds{std::clamp<std::int64_t>(*after, 1, longest.count())};
    } else if (const auto reset = number_in(answer, "x-ratelimit-reset"); reset && remaining == std::int64_t{0}) {
        const auto now = std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch());
        const auto until = std::clamp<std::int64_t>(*reset, 0, now.count() + longest.count());
        wait = std::max(seconds{until} - now, seconds{1});
    }
    return std::clamp(wait, seconds{1}, longest);
}

}  // namespace millrace::adapters
