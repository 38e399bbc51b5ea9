#include "handlers/builtin/fail.hpp"

#include <nlohmann/json.hpp>

namespace millrace::handlers::builtin {

core::Outcome Fail::run(const core::Job& job, std::stop_token) {
    const auto json = nlohmann::json::parse(job.payload, nullptr, false);
    const bool has_error = json.is_object() && json.contains("error") && json["error"].is_string();
    const auto error = has_error ? json["error"].get<std::string>() : std::string{};
    return core::Failed{error.empty() ? "failed as asked" : error, std::nullopt};
}

}  // namespace millrace::handlers::builtin
