#include "ops/endpoints.hpp"

#include "ops/metrics.hpp"

#include <utility>

namespace millrace::ops {

Endpoints::Endpoints(const Address& address, const storage::SessionFactory& sessions, std::string version, Log& log)
    : version_{std::move(version)},
      probe_{sessions, log},
      server_{address,
              {{"/healthz", [] { return Reply{.body = "ok\n"}; }},
               {"/readyz", [this] { return readyz(); }},
               {"/metrics", [this] { return metrics(); }}},
              log} {
    log.write(Level::info, "http listening", {{"address", Address{address.host, port()}.text()}});
}

Endpoints::Showing::Showing(Endpoints& endpoints, const engine::Worker& worker, const engine::Registry& registry,
                            Counted counted)
    : endpoints_{endpoints} {
    endpoints_.probe_.allow_upgrades();
    endpoints_.shown_.with([&](Shown& shown) { shown = {&worker, &registry, std::move(counted)}; });
}

Endpoints::Showing::~Showing() {
    endpoints_.shown_.with([](Shown& shown) { shown = {}; });
}

// The database is asked first: that may take a while, and nobody should wait for a lock meanwhile.
Reply Endpoints::readyz() {
    Readiness readiness;
    if (const auto look = probe_.look(); look.obstacle) readiness.obstacles.push_back(*look.obstacle);
    shown_.with([&](const Shown& shown) {
        if (shown.worker == nullptr) {
            readiness.obstacles.push_back({"worker", "has not started, or has ended"});
            return;
        }
        const auto condition = shown.worker->condition();
        if (condition.is_draining) readiness.obstacles.push_back({"worker", "is draining"});
        if (!condition.holds_session) readiness.obstacles.push_back({"worker", "holds no session"});
        readiness.unavailable_kinds = unavailable_kinds(*shown.registry);
    });
    return {.status = readiness.is_ready() ? 200 : 503, .type = "application/json", .body = json_of(readiness)};
}

Reply Endpoints::metrics() {
    const auto look = probe_.look();
    return shown_.with([&](const Shown& shown) {
        return Reply{.type = metrics_type,
                     .body = metrics_text({version_, shown.worker, look, shown.registry, shown.counted})};
    });
}

}  // namespace millrace::ops
