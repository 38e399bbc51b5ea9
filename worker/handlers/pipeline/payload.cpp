#include "handlers/pipeline/payload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace millrace::handlers::pipeline {
namespace {

using nlohmann::json;

std::string text(const std::string& key, const json& value) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
        throw BadPayload{fmt::format("payload key \"{}\": must be a string that is not empty", key)};
    }
    return value.get<std::string>();
}

RequestNumber number(const std::string& key, const json& value) {
    if (!value.is_number_integer() || value.get<std::int64_t>() < 1) {
        throw BadPayload{fmt::format("payload key \"{}\": must be a whole number from 1 on", key)};
    }
    return {value.get<std::int64_t>()};
}

}  // namespace

Payload read_payload(std::string_view text_of_json, std::initializer_list<std::string_view> required) {
    const auto object = json::parse(text_of_json, nullptr, false);
    if (!object.is_object()) throw BadPayload{R"(the payload must be a JSON object like {"queue": …})"};
    for (const auto key : required) {
        if (!object.contains(key)) throw BadPayload{fmt::format("payload key \"{}\": is missing", key)};
    }
    Payload payload;
    for (const auto& [key, value] : object.items()) {
        if (key == "queue") {
            payload.queue = text(key, value);
        } else if (key == "request") {
            payload.request = number(key, value);
        } else if (key == "build") {
            payload.build = text(key, value);
        } else if (key == "uri") {
            payload.uri = text(key, value);
        } else {
            throw BadPayload{"the payload has an unknown key; known are queue, request, build, uri"};
        }
    }
    return payload;
}

std::string write_payload(const Payload& payload) {
    json object{{"queue", payload.queue}};
    if (payload.request.value != 0) object["request"] = payload.request.value;
    if (!payload.build.empty()) object["build"] = payload.build;
    if (!payload.uri.empty()) object["uri"] = payload.uri;
    return object.dump();
}

}  // namespace millrace::handlers::pipeline
