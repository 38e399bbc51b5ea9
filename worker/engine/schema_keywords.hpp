#pragma once
// A schema that has been read: its JSON, where its references lead, and its patterns.
//
// For payload_schema.cpp and payload_check.cpp only: it includes RE2.

#include "engine/payload_schema.hpp"

#include <re2/re2.h>
#include <nlohmann/json_fwd.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace millrace::engine {

struct PayloadSchema::Compiled {
    explicit Compiled(std::unique_ptr<const nlohmann::json> json);
    ~Compiled();

    const std::unique_ptr<const nlohmann::json> root;
    std::unordered_map<const nlohmann::json*, const nlohmann::json*> references;  // the text of a $ref: its schema
    std::map<std::string, std::unique_ptr<const RE2>, std::less<>> patterns;
};

// How deep the brackets of a JSON text are nested.
[[nodiscard]] std::size_t levels_of(std::string_view text);

// The name as a step of a JSON pointer, with its slash.
[[nodiscard]] std::string pointer_step(std::string_view name);

// Fills in the rest of what has a root. Throws BadSchema.
void compile(PayloadSchema::Compiled& schema);

// See payload_check.cpp.
[[nodiscard]] std::optional<Violation> check_payload(const PayloadSchema::Compiled& schema,
                                                     const nlohmann::json& payload, std::size_t most_steps);

}  // namespace millrace::engine
