#include "ops/readiness.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace millrace::ops {

std::vector<UnavailableKind> unavailable_kinds(const engine::Registry& registry) {
    std::vector<UnavailableKind> unavailable;
    for (const auto& kind : registry.kinds()) {
        const auto* entry = std::get_if<engine::Registry::Unavailable>(registry.find(kind));
        if (entry != nullptr) unavailable.push_back({kind, entry->reason});
    }
    return unavailable;
}

std::string json_of(const Readiness& readiness) {
    using nlohmann::ordered_json;
    ordered_json report{{"ready", readiness.is_ready()},
                        {"not_ready", ordered_json::array()},
                        {"unavailable_kinds", ordered_json::array()}};
    for (const auto& [what, reason, database] : readiness.obstacles) {
        ordered_json obstacle{{"what", what}, {"reason", reason}};
        if (!database.empty()) obstacle["database"] = database;
        report["not_ready"].push_back(std::move(obstacle));
    }
    for (const auto& [kind, reason] : readiness.unavailable_kinds) {
        report["unavailable_kinds"].push_back({{"kind", kind}, {"reason", reason}});
    }
    return report.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace millrace::ops
