#include "ops/watched_site.hpp"

#include "ops/readiness.hpp"

#include <utility>

namespace millrace::ops {

WatchedSite::WatchedSite(const storage::SessionFactory& sessions, std::string version, Site watched, NameOf name_of,
                         Log& log)
    : version_{std::move(version)}, watched_{std::move(watched)}, name_of_{name_of}, probe_{sessions, log} {
    probe_.allow_upgrades();
}

Site WatchedSite::site() {
    return {.screen = [this](const Request& request) { return screen(request); },
            .answer = [this](const Request& request) { return counted(request, watched_.answer(request)); },
            .most_body_bytes = watched_.most_body_bytes};
}

std::optional<Reply> WatchedSite::screen(const Request& request) {
    if (request.path == "/readyz" || request.path == "/metrics") {
        if (request.method != "GET" && request.method != "HEAD") {
            return Reply{.status = 405, .body = "only GET and HEAD\n", .headers = {{"Allow", "GET, HEAD"}}};
        }
        return request.path == "/readyz" ? readyz() : metrics();
    }
    auto reply = watched_.screen(request);
    return reply ? std::optional{counted(request, std::move(*reply))} : std::nullopt;
}

Reply WatchedSite::readyz() {
    Readiness readiness;
    if (const auto look = probe_.look(); look.obstacle) readiness.obstacles.push_back(*look.obstacle);
    return {.status = readiness.is_ready() ? 200 : 503, .type = "application/json", .body = json_of(readiness)};
}

Reply WatchedSite::metrics() {
    const auto look = probe_.look();
    return {.type = metrics_type,
            .body = metrics_text({version_, look, counts_.with([](const auto& counts) { return counts; })})};
}

Reply WatchedSite::counted(const Request& request, Reply reply) {
    if (const auto name = name_of_(request.path); !name.empty()) {
        counts_.with([&](auto& counts) { ++counts[{name, reply.status}]; });
    }
    return reply;
}

}  // namespace millrace::ops
