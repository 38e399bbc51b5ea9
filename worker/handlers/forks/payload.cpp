#include "handlers/forks/payload.hpp"

#include "adapters/git_names.hpp"
#include "core/nearest.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace millrace::handlers::forks {
namespace {

using nlohmann::json;

const std::vector<std::string> known_keys = {"fork", "branch", "run"};

constexpr std::size_t max_shown_key = 40;  // bytes
constexpr std::size_t max_fork_bytes = 201;

PayloadProblem refused(std::string_view key, const std::string& reason) {
    return {fmt::format("payload key \"{}\": {}", key, reason)};
}

std::optional<PayloadProblem> unknown_key(const json& payload) {
    for (const auto& [key, value] : payload.items()) {
        if (std::find(known_keys.begin(), known_keys.end(), key) != known_keys.end()) continue;
        // Quoted as JSON: a key may hold anything, and problems end in logs.
        const auto start = key.substr(0, max_shown_key);
        const auto shown = json(start).dump(-1, ' ', true, json::error_handler_t::replace);
        const auto meant = core::nearest(start, known_keys);
        return PayloadProblem{fmt::format(
            "payload key {}: not known; {}", shown,
            meant ? fmt::format("did you mean \"{}\"?", *meant) : std::string{"known are fork, branch, run"})};
    }
    return std::nullopt;
}

std::optional<PayloadProblem> text_problem(const json& payload, const std::string& key, const std::string& example) {
    const auto found = payload.find(key);
    if (found == payload.end()) return refused(key, fmt::format("is missing; give one like \"{}\"", example));
    if (found->is_string()) return std::nullopt;
    return refused(key, fmt::format("must be a string; it is of type {}", found->type_name()));
}

// A larger number would be read as a negative one.
bool is_run(const json& value) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    const bool is_too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{most};
    return value.is_null() || (value.is_number_integer() && !is_too_large);
}

std::optional<PayloadProblem> problem_of(const json& payload) {
    if (auto problem = unknown_key(payload)) return problem;
    if (auto problem = text_problem(payload, "fork", "org/name")) return problem;
    if (auto problem = text_problem(payload, "branch", "main")) return problem;
    const auto& fork = payload.at("fork").get_ref<const std::string&>();
    if (fork.size() > max_fork_bytes || fork.find('\0') != fork.npos) return refused("fork", "is no org/name");
    if (const auto problem = adapters::branch_problem(payload.at("branch").get_ref<const std::string&>())) {
        return refused("branch", *problem);
    }
    if (payload.contains("run") && !is_run(payload.at("run"))) {
        return refused("run", "must be the number of a run, or left out");
    }
    return std::nullopt;
}

}  // namespace

std::variant<storage::ForkBranch, PayloadProblem> read_fork_branch(std::string_view text) {
    const auto payload = json::parse(text, nullptr, false);
    if (!payload.is_object()) {
        return PayloadProblem{R"(the payload must be a JSON object; write {"fork": "org/name", "branch": "main"})"};
    }
    if (auto problem = problem_of(payload)) return *std::move(problem);
    storage::ForkBranch wanted{.fork = payload.at("fork"), .branch = payload.at("branch"), .run = {}};
    if (payload.contains("run") && !payload.at("run").is_null()) wanted.run = payload.at("run").get<std::int64_t>();
    return wanted;
}

}  // namespace millrace::handlers::forks
