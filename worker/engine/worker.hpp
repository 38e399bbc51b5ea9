#pragma once
// One worker process: claims jobs of its queues, runs them, settles them.
//
//     claimer (per queue) ─► backlog ─► executors (slots per queue) ─► completer ─► settled
//
// beside them heartbeat (the lease), listener (wake-ups), maintenance (promote, reap, low-water, counts), deadlines.
// Nothing is kept here that another worker would miss: a killed worker's jobs return when its lease runs out.
//
// Thread rule: constructed, run once and destroyed by one thread. `stats`, `condition` and `adjust` may be called by
// any.

#include "engine/registry.hpp"
#include "engine/settings.hpp"
#include "engine/spans.hpp"
#include "engine/stats.hpp"
#include "ops/log.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>

namespace millrace::engine {

class Worker {
public:
    using Settings = WorkerSettings;

    enum class Ending {
        drained,    // every attempt has ended; all threads can be joined
        abandoned,  // some handler ignored its stop request: its job was given back, its thread still runs
    };

    // The references outlive the worker. `spans` is where traced jobs are told of; null: nowhere.
    Worker(const storage::SessionFactory& sessions, const Registry& registry, Settings settings, ops::Log& log,
           Spans* spans = nullptr);
    // Joins all threads. After `abandoned`, or when `run` threw, that waits for handlers which ignore their stop
    // request: end the process with std::_Exit instead.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Works until `stop` is requested, then: claims nothing more, gives back what was not started, lets running
    // attempts end for `drain_timeout`, asks the rest to stop, gives back what is left, closes its session.
    // A database that cannot be reached is waited for. Throws storage::Error when it refuses this worker for good:
    // an unknown queue, another schema, a foreign database, no permission.
    [[nodiscard]] Ending run(std::stop_token stop);

    // Takes over what may change while it works: the drain timeout, and of the queues that it has the slots and how
    // many jobs are claimed ahead. Slots that are taken away let what runs in them end. All else stays as it was.
    void adjust(Settings settings);

    struct Condition {
        bool holds_session = false;
        bool is_draining = false;
        bool has_abandoned = false;                                        // see Ending; also when `run` threw
        std::optional<std::chrono::steady_clock::duration> heartbeat_age;  // nothing before the first session
        bool is_alive = true;  // once it holds a session: the loops that wait for nobody go round
    };
    [[nodiscard]] Condition condition() const;
    [[nodiscard]] const Stats& stats() const noexcept;

private:
    class Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace millrace::engine
