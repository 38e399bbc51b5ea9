#pragma once
// A site, and before it what the machines that watch `millrace serve` ask for:
//
//     /readyz    200 when the database can be worked with, else 503; JSON that names the obstacle
//     /metrics   Prometheus text format: requests by resource and status, and whether the database can be reached
//
// All else is the site's, and what it answers is counted. The two name no queue, no user and no host, because a site
// has other visitors, too.
//
// Thread rule: any thread.

#include "core/guarded.hpp"
#include "ops/database_probe.hpp"
#include "ops/http_server.hpp"
#include "ops/metrics.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace millrace::ops {

class WatchedSite {
public:
    // What the resource at this path is called, one of a few names; empty: its requests are not counted.
    using NameOf = std::string_view (*)(std::string_view path);

    // The database's schema is this program's, and may be upgraded from now on. The references outlive it.
    WatchedSite(const storage::SessionFactory& sessions, std::string version, Site watched, NameOf name_of, Log& log);

    // Uses this object.
    [[nodiscard]] Site site();

private:
    [[nodiscard]] std::optional<Reply> screen(const Request& request);
    [[nodiscard]] Reply readyz();
    [[nodiscard]] Reply metrics();
    [[nodiscard]] Reply counted(const Request& request, Reply reply);

    const std::string version_;
    const Site watched_;
    const NameOf name_of_;
    DatabaseProbe probe_;
    core::Guarded<RequestCounts> counts_;
};

}  // namespace millrace::ops
