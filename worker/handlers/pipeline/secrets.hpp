#pragma once
// Tokens and keys that the configuration of a pipeline queue names and never bears: variables of the worker's
// environment whose names begin with PIPELINE_. No other variable can be named: whoever may configure a pipeline queue
// must not get at the password of the database.
//
// Thread rule: pure.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::handlers::pipeline {

class Secrets {
public:
    static constexpr std::string_view prefix = "PIPELINE_";

    Secrets() = default;
    explicit Secrets(std::map<std::string, std::string> variables) : variables_{std::move(variables)} {}

    // Nothing when this worker has none of that name.
    [[nodiscard]] std::optional<std::string> find(const std::string& name) const {
        const auto found = variables_.find(name);
        if (!name.starts_with(prefix) || found == variables_.end() || found->second.empty()) return std::nullopt;
        return found->second;
    }

private:
    std::map<std::string, std::string> variables_;
};

}  // namespace millrace::handlers::pipeline
