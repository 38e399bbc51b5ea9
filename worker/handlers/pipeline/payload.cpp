#include "handlers/pipeline/payload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace millrace::handlers::pipeline {
namespace {

using nlohmann::json;

std::string text(const std::string& key, const json& value) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
        throw BadPayload{fmt::format("payload key \"{}\": must be a string that is not empty", key)};
    }
    return value.get<std::string>();
}

std::int64_t number(const std::string& key, const json& value, std::int64_t most) {
    if (!value.is_number_integer() || value.get<std::int64_t>() < 1 || value.get<std::int64_t>() > most) {
        throw BadPayload{fmt::format("payload key \"{}\": must be a whole number from 1 on", key)};
    }
    return value.get<std::int64_t>();
}

constexpr std::array<std::pair<std::string_view, std::string Payload::*>, 6> texts{{{"queue", &Payload::queue},
                                                                                    {"build", &Payload::build},
                                                                                    {"uri", &Payload::uri},
                                                                                    {"project", &Payload::project},
                                                                                    {"event", &Payload::event},
                                                                                    {"sink", &Payload::sink}}};

}  // namespace

Payload read_payload(std::string_view text_of_json, std::initializer_list<std::string_view> required) {
    const auto object = json::parse(text_of_json, nullptr, false);
    if (!object.is_object()) throw BadPayload{R"(the payload must be a JSON object like {"queue": …})"};
    for (const auto key : required) {
        if (!object.contains(key)) throw BadPayload{fmt::format("payload key \"{}\": is missing", key)};
    }
    Payload payload;
    for (const auto& [key, value] : object.items()) {
        const std::string& name = key;
        const auto* const known =
            std::find_if(texts.begin(), texts.end(), [&](const auto& entry) { return entry.first == name; });
        if (known != texts.end()) {
            payload.*(known->second) = text(key, value);
        } else if (key == "request") {
            payload.request = {number(key, value, std::numeric_limits<std::int64_t>::max())};
        } else if (key == "run") {
            payload.run = static_cast<int>(number(key, value, std::numeric_limits<int>::max()));
        } else {
            throw BadPayload{
                "the payload has an unknown key; known are queue, request, build, uri, project, run, event, sink"};
        }
    }
    return payload;
}

std::string write_payload(const Payload& payload) {
    auto object = json::object();
    for (const auto& entry : texts) {
        if (!(payload.*(entry.second)).empty()) object[std::string{entry.first}] = payload.*(entry.second);
    }
    if (payload.request.value != 0) object["request"] = payload.request.value;
    if (payload.run != 0) object["run"] = payload.run;
    return object.dump();
}

}  // namespace millrace::handlers::pipeline
