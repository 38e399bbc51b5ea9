#pragma once
// Runs attempts, one after the other, on one thread: finds the handler, calls it, reports the outcome.
//
// What a stop request means for the outcome is decided here. Past its deadline, an attempt that did not get done has
// failed by time-out; one whose job was cancelled is cancelled. Stopped because the lease was lost or the worker shuts
// down, a failure is nobody's fault, and the attempt is not counted.
//
// A worker is handed no kind without a handler (sql/queue/kinds.sql). One that came all the same is put off, not
// failed. A payload that is not as the schema of its kind wants it never gets to the handler: its job is discarded.
//
// Thread rule: owns one thread and, for transactional handlers, one connection, opened when first needed.

#include "engine/attempt_log.hpp"
#include "engine/backlog.hpp"
#include "engine/complaints.hpp"
#include "engine/completer.hpp"
#include "engine/payload_schemas.hpp"
#include "engine/reconnecting.hpp"
#include "engine/registry.hpp"
#include "engine/running_attempts.hpp"

#include <optional>
#include <stop_token>

namespace millrace::engine {

class Executor {
public:
    static constexpr std::chrono::seconds unknown_kind_delay{30};

    // Everything but `slot` is shared by the executors of a queue, or by all.
    struct Surroundings {
        const storage::SessionFactory& sessions;
        const Registry& registry;
        Completer& completer;
        const RunningAttempts& attempts;
        const PayloadSchemas& schemas;
        Complaints& complaints;
        AnswerWatch& answers;
        Stats& stats;
        QueueStats& queue_stats;
        ops::Log& log;
        const AttemptLog& attempt_log;
        std::chrono::milliseconds stop_grace;  // for the record
        Spans* spans;                          // null: nothing is traced
    };

    Executor(const Surroundings& surroundings, Backlog& backlog, RunningAttempts::Slot& slot);

    // Until the backlog is closed.
    void run();

private:
    void attend(const Attempt& attempt);
    [[nodiscard]] std::optional<core::Outcome> run_in_slot(const Attempt& attempt);
    [[nodiscard]] std::optional<core::Outcome> run_traced(const Attempt& attempt);

    // Nothing when the outcome was settled by the handler's own transaction, or is somebody else's business.
    [[nodiscard]] std::optional<core::Outcome> outcome_of(const Attempt& attempt, const std::stop_token& stop);
    [[nodiscard]] std::optional<core::Outcome> refused_by_schema(const core::Job& job);
    [[nodiscard]] core::Outcome run_plain(Handler& handler, const core::Job& job, const std::stop_token& stop);
    [[nodiscard]] std::optional<core::Outcome> run_in_transaction(TransactionalHandler& handler, const Attempt& attempt,
                                                                  const std::stop_token& stop);
    [[nodiscard]] std::optional<core::Outcome> resolve_doubt(const Attempt& attempt,
                                                             const storage::Settlement& settlement,
                                                             const std::stop_token& stop);
    void trace_settle(const Attempt& attempt, Clock::time_point asked_at, std::string_view outcome) const;
    [[nodiscard]] core::Outcome judged(core::Outcome outcome, const core::Job& job) const;
    [[nodiscard]] std::string stop_record(const core::Outcome& outcome) const;
    void log_stop(const core::Job& job, const core::Outcome& outcome) const;
    void count_lost(const Attempt& attempt, std::string_view reason);
    void log_failure(const core::Job& job, const core::Outcome& outcome) const;

    const Surroundings with_;
    Backlog& backlog_;
    RunningAttempts::Slot& slot_;
    Reconnecting connection_;
};

}  // namespace millrace::engine
