#pragma once
// What a worker shows to those who watch it:
//
//     /healthz   200 while this process answers
//     /readyz    200 when it can work, else 503; JSON that names each obstacle
//     /metrics   Prometheus text format
//
// They exist before the worker does, because a database that is away at the start is what people want to be told.
//
// A process that serves several databases has a worker for each. It is ready when all are; an obstacle says of which
// database it is, and so does each number.
//
// Thread rule: made by one thread; `Showing` by any. Workers are asked by the server's.

#include "core/guarded.hpp"
#include "engine/registry.hpp"
#include "engine/worker.hpp"
#include "ops/database_probe.hpp"
#include "ops/http_server.hpp"
#include "ops/metrics.hpp"
#include "ops/readiness.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace millrace::ops {

class Endpoints {
public:
    struct Database {
        std::string name;  // empty: there is only one
        const storage::SessionFactory& sessions;
        Log& log;
    };

    // Throws std::runtime_error when it cannot listen there. The references outlive it.
    Endpoints(const Address& address, std::span<const Database> databases, std::string version, Log& log);
    Endpoints(const Address& address, const storage::SessionFactory& sessions, std::string version, Log& log);

    // Shows the worker of that database while it lives. It works on a schema that fits: see
    // DatabaseProbe::allow_upgrades.
    class Showing {
    public:
        Showing(Endpoints& endpoints, const engine::Worker& worker, const engine::Registry& registry,
                Counted counted = {}, std::size_t database = 0);
        ~Showing();  // when it returns, nobody looks at the worker any more
        Showing(const Showing&) = delete;
        Showing& operator=(const Showing&) = delete;

    private:
        Endpoints& endpoints_;
        const std::size_t database_;
    };

    [[nodiscard]] int port() const noexcept { return server_.port(); }

private:
    struct View {
        explicit View(const Database& database) : name{database.name}, probe{database.sessions, database.log} {}
        const std::string name;
        DatabaseProbe probe;
    };
    using Views = std::vector<std::unique_ptr<View>>;
    struct Shown {
        const engine::Worker* worker = nullptr;
        const engine::Registry* registry = nullptr;
        Counted counted{};
    };

    [[nodiscard]] static Views views_of(std::span<const Database> databases);
    [[nodiscard]] std::vector<DatabaseProbe::Look> look_at_all();
    [[nodiscard]] Reply readyz();
    [[nodiscard]] Reply metrics();

    const std::string version_;
    const Views views_;
    core::Guarded<std::vector<Shown>> shown_;  // of views_ of the same index
    HttpServer server_;                        // last: uses the others
};

}  // namespace millrace::ops
