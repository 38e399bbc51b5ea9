#include "cli/workers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace millrace::cli {

Workers::Workers(std::span<const std::string> databases) {
    entries_.with([&](auto& entries) {
        for (const auto& database : databases)
            entries.push_back({database});
    });
}

Workers::Place::Place(Workers& workers, std::size_t database, const engine::Worker& worker,
                      const std::string& installation)
    : workers_{workers}, database_{database} {
    workers_.entries_.with([&](auto& entries) {
        const auto other = std::find_if(entries.begin(), entries.end(),
                                        [&](const Entry& entry) { return entry.installation == installation; });
        if (other != entries.end()) {
            throw std::runtime_error{fmt::format("this is the database that is served as {} already", other->database)};
        }
        auto& entry = entries.at(database_);
        entry.worker = &worker;
        entry.installation = installation;
    });
}

Workers::Place::~Place() {
    workers_.entries_.with([&](auto& entries) {
        auto& entry = entries.at(database_);
        entry.worker = nullptr;
        entry.installation.clear();
    });
}

ops::Watching::State Workers::state() const {
    ops::Watching::State state{.is_ready = false, .is_alive = true};
    entries_.with([&](const auto& entries) {
        for (const auto& entry : entries) {
            if (entry.worker == nullptr) continue;
            const auto condition = entry.worker->condition();
            const bool has_begun = condition.heartbeat_age.has_value();
            state.is_ready = state.is_ready || condition.holds_session;
            state.is_alive = state.is_alive && (!has_begun || condition.is_alive);
        }
    });
    return state;
}

}  // namespace millrace::cli
