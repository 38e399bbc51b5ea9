#pragma once
// What is read out of a service's answers, which may hold anything.
//
// Thread rule: pure.

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::handlers::pipeline {

// Empty, nothing, and an empty list: it is not there, or not of that type.
[[nodiscard]] std::string text_in(const nlohmann::json& object, const char* key);
[[nodiscard]] std::optional<std::int64_t> number_in(const nlohmann::json& object, const char* key);
[[nodiscard]] nlohmann::json list_in(const nlohmann::json& object, const char* key);

// The number in a build's id, as "github/7"; throws BuildRunnerError for an id that is not so.
[[nodiscard]] std::string number_of(const std::string& id, std::string_view prefix);

// ", failed: a, b" of a list of targets; empty when none has failed.
[[nodiscard]] std::string failed_names(const nlohmann::json& targets);

}  // namespace millrace::handlers::pipeline
