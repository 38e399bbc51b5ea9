#include "engine/payload_schema.hpp"

#include "engine/schema_keywords.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace millrace::engine {

namespace {

using Json = nlohmann::json;

// nlohmann's text without its number: "[json.exception.parse_error.101] parse error at line 1, column 9: …", and
// without what it has last read, which is the payload's.
std::string reason_of(const Json::exception& error) {
    const std::string text{error.what()};
    const auto begin = text.find("] ");
    const auto start = begin == std::string::npos ? 0 : begin + 2;
    return text.substr(start, text.find("; last read", start) - start);
}

}  // namespace

std::string text_of(const Violation& violation) {
    return fmt::format("{}: {}: {}", violation.pointer.empty() ? "the payload" : violation.pointer, violation.rule,
                       violation.why);
}

PayloadSchema::PayloadSchema(std::string_view text) {
    if (levels_of(text) > most_schema_levels) {
        throw BadSchema{fmt::format("the schema: nested deeper than {} levels", most_schema_levels)};
    }
    std::unique_ptr<const Json> json;
    try {
        json = std::make_unique<const Json>(Json::parse(text));
    } catch (const Json::exception& error) {
        throw BadSchema{fmt::format("the schema: not JSON: {}", reason_of(error))};
    }
    auto compiled = std::make_unique<Compiled>(std::move(json));
    compile(*compiled);
    compiled_ = std::move(compiled);
}

PayloadSchema::~PayloadSchema() = default;

std::optional<Violation> PayloadSchema::check(std::string_view payload) const {
    if (levels_of(payload) > most_payload_levels) {
        return Violation{"", "limit", fmt::format("nested deeper than {} levels", most_payload_levels)};
    }
    try {
        return check_payload(*compiled_, Json::parse(payload), most_steps + steps_per_byte * payload.size());
    } catch (const Json::exception& error) {  // PostgreSQL takes numbers that no double holds
        return Violation{"", "limit", fmt::format("cannot be read: {}", reason_of(error))};
    }
}

}  // namespace millrace::engine
