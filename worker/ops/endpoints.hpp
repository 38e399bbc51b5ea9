#pragma once
// What a worker shows to those who watch it:
//
//     /healthz   200 while this process answers
//     /readyz    200 when it can work, else 503; JSON that names each obstacle
//     /metrics   Prometheus text format
//
// They exist before the worker does, because a database that is away at the start is what people want to be told.
//
// Thread rule: one thread; the worker is asked by the server's.

#include "core/guarded.hpp"
#include "engine/registry.hpp"
#include "engine/worker.hpp"
#include "ops/database_probe.hpp"
#include "ops/http_server.hpp"
#include "ops/metrics.hpp"
#include "ops/readiness.hpp"

#include <string>

namespace millrace::ops {

class Endpoints {
public:
    // Throws std::runtime_error when it cannot listen there. The references outlive it.
    Endpoints(const Address& address, const storage::SessionFactory& sessions, std::string version, Log& log);

    // Shows this worker while it lives. It works on a schema that fits: see DatabaseProbe::allow_upgrades.
    class Showing {
    public:
        Showing(Endpoints& endpoints, const engine::Worker& worker, const engine::Registry& registry,
                Counted counted = {});
        ~Showing();  // when it returns, nobody looks at the worker any more
        Showing(const Showing&) = delete;
        Showing& operator=(const Showing&) = delete;

    private:
        Endpoints& endpoints_;
    };

    [[nodiscard]] int port() const noexcept { return server_.port(); }

private:
    struct Shown {
        const engine::Worker* worker = nullptr;
        const engine::Registry* registry = nullptr;
        Counted counted{};
    };

    [[nodiscard]] Reply readyz();
    [[nodiscard]] Reply metrics();

    const std::string version_;
    DatabaseProbe probe_;
    core::Guarded<Shown> shown_;
    HttpServer server_;  // last: uses the others
};

}  // namespace millrace::ops
