// A JSON Schema on the first line, a payload behind it: the one is an operator's, the other any producer's.
//
// Property: a schema is read or refused with a text, and a payload gets the same verdict each time. A violation names a
// place that is in the payload. A schema and its contrary never both hold, nor does neither unless the check was given
// up or the payload could not be read.

#include "engine/payload_schema.hpp"
#include "fuzz/input.hpp"

#include <nlohmann/json.hpp>

namespace millrace::fuzz {

void try_input(std::string_view bytes) {
    const auto end = bytes.find('\n');
    const std::string schema{bytes.substr(0, end)};
    const std::string_view payload = end == bytes.npos ? std::string_view{"{}"} : bytes.substr(end + 1);
    std::optional<engine::PayloadSchema> read;
    try {
        read.emplace(schema);
    } catch (const engine::BadSchema& refusal) {
        require(std::string_view{refusal.what()}.find(": ") != std::string_view::npos, "a refusal says where and why",
                refusal.what());
        return;
    }
    const auto violation = read->check(payload);
    const auto again = read->check(payload);
    require(violation.has_value() == again.has_value(), "a verdict is the same each time");
    const bool is_given_up = violation && violation->rule == "limit";
    if (violation) {
        require(engine::text_of(*violation) == engine::text_of(*again), "and so are its words");
        require(!violation->rule.empty() && !violation->why.empty(), "a violation names its rule");
        if (!is_given_up) {
            const nlohmann::json::json_pointer place{violation->pointer};
            require(nlohmann::json::parse(payload).contains(place), "the place is in the payload", violation->pointer);
        }
    }
    // References lead elsewhere once the schema stands within another.
    if (is_given_up || schema.find("$ref") != std::string::npos || schema.find("$id") != std::string::npos) return;
    std::optional<engine::PayloadSchema> contrary;
    try {
        contrary.emplace("{\"not\":" + schema + "}");
    } catch (const engine::BadSchema&) {  // one level more may be one too many
        return;
    }
    const auto contrary_violation = contrary->check(payload);
    if (contrary_violation && contrary_violation->rule == "limit") return;
    require(violation.has_value() != contrary_violation.has_value(), "a schema or its contrary holds");
}

}  // namespace millrace::fuzz
