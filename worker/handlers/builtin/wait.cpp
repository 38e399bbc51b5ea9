#include "handlers/builtin/wait.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace millrace::handlers::builtin {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest = std::chrono::hours{24};

// `longest` stands for ever: a stop comes before it. Nothing when the payload asks for neither form of waiting.
std::optional<milliseconds> duration_in(const std::string& payload) {
    const auto json = nlohmann::json::parse(payload, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    const auto ms = json.find("ms");
    const auto until_stopped = json.find("until_stopped");
    if (until_stopped != json.end() && until_stopped->is_boolean() && until_stopped->get<bool>()) return longest;
    if (ms == json.end() || !ms->is_number_unsigned()) return std::nullopt;
    const auto amount = ms->get<std::uint64_t>();
    if (amount > static_cast<std::uint64_t>(longest.count())) return std::nullopt;
    return milliseconds{static_cast<milliseconds::rep>(amount)};
}

}  // namespace

core::Outcome Wait::run(const core::Job& job, std::stop_token stop) {
    const auto duration = duration_in(job.payload);
    if (!duration) return core::Discarded{R"(payload: write {"ms": 0 … 86400000} or {"until_stopped": true})"};

    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock{mutex};
    stopped.wait_for(lock, stop, *duration, [] { return false; });
    if (stop.stop_requested()) return core::Failed{"asked to stop while waiting", std::nullopt};
    return core::Completed{};
}

}  // namespace millrace::handlers::builtin
