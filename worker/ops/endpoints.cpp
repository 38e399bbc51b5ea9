#include "ops/endpoints.hpp"

#include "ops/metrics.hpp"

#include <array>
#include <utility>

namespace millrace::ops {

Endpoints::Endpoints(const Address& address, std::span<const Database> databases, std::string version, Log& log)
    : version_{std::move(version)},
      views_{views_of(databases)},
      shown_{std::vector<Shown>(databases.size())},
      server_{address,
              {{"/healthz", [] { return Reply{.body = "ok\n"}; }},
               {"/readyz", [this] { return readyz(); }},
               {"/metrics", [this] { return metrics(); }}},
              log} {
    log.write(Level::info, "http listening", {{"address", Address{address.host, port()}.text()}});
}

Endpoints::Endpoints(const Address& address, const storage::SessionFactory& sessions, std::string version, Log& log)
    : Endpoints{address, std::array{Database{"", sessions, log}}, std::move(version), log} {}

Endpoints::Views Endpoints::views_of(std::span<const Database> databases) {
    Views views;
    for (const auto& database : databases)
        views.push_back(std::make_unique<View>(database));
    return views;
}

Endpoints::Showing::Showing(Endpoints& endpoints, const engine::Worker& worker, const engine::Registry& registry,
                            Counted counted, std::size_t database)
    : endpoints_{endpoints}, database_{database} {
    endpoints_.views_.at(database_)->probe.allow_upgrades();
    endpoints_.shown_.with([&](auto& shown) { shown.at(database_) = {&worker, &registry, std::move(counted)}; });
}

Endpoints::Showing::~Showing() {
    endpoints_.shown_.with([&](auto& shown) { shown.at(database_) = {}; });
}

// Those who do not answer are waited for all at once.
std::vector<DatabaseProbe::Look> Endpoints::look_at_all() {
    const auto until = DatabaseProbe::Clock::now() + DatabaseProbe::patience;
    for (const auto& view : views_)
        view->probe.ask();
    std::vector<DatabaseProbe::Look> looks;
    for (const auto& view : views_)
        looks.push_back(view->probe.look(until));
    return looks;
}

// The databases are asked first: that may take a while, and nobody should wait for a lock meanwhile.
Reply Endpoints::readyz() {
    Readiness readiness;
    const auto looks = look_at_all();
    shown_.with([&](const std::vector<Shown>& shown) {
        for (std::size_t i = 0; i < views_.size(); ++i) {
            const auto note = [&](std::string what, std::string reason) {
                readiness.obstacles.push_back({std::move(what), std::move(reason), views_[i]->name});
            };
            if (const auto& obstacle = looks[i].obstacle) note(obstacle->what, obstacle->reason);
            if (shown[i].worker == nullptr) {
                note("worker", "has not started, or has ended");
                continue;
            }
            const auto condition = shown[i].worker->condition();
            if (condition.is_draining) note("worker", "is draining");
            if (!condition.holds_session) note("worker", "holds no session");
            readiness.unavailable_kinds = unavailable_kinds(*shown[i].registry);  // the same for all
        }
    });
    return {.status = readiness.is_ready() ? 200 : 503, .type = "application/json", .body = json_of(readiness)};
}

Reply Endpoints::metrics() {
    const auto looks = look_at_all();
    return shown_.with([&](const std::vector<Shown>& shown) {
        std::vector<Sample> samples;
        for (std::size_t i = 0; i < views_.size(); ++i) {
            samples.push_back(
                {version_, shown[i].worker, looks[i], shown[i].registry, shown[i].counted, views_[i]->name});
        }
        return Reply{.type = metrics_type, .body = metrics_text(samples)};
    });
}

}  // namespace millrace::ops
