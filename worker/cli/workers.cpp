#include "cli/workers.hpp"

namespace millrace::cli {

Workers::Place::Place(Workers& workers, std::size_t database, const engine::Worker& worker)
    : workers_{workers}, database_{database} {
    workers_.workers_.with([&](auto& all) { all.at(database_) = &worker; });
}

Workers::Place::~Place() {
    workers_.workers_.with([&](auto& all) { all.at(database_) = nullptr; });
}

ops::Watching::State Workers::state() const {
    ops::Watching::State state{.is_ready = true, .is_alive = true};
    workers_.with([&](const auto& all) {
        for (const auto* worker : all) {
            const auto condition = worker == nullptr ? engine::Worker::Condition{} : worker->condition();
            state.is_ready = state.is_ready && condition.holds_session;
            state.is_alive = state.is_alive && condition.is_alive;
        }
    });
    return state;
}

}  // namespace millrace::cli
