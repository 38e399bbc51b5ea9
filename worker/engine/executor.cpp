#include "engine/executor.hpp"

#include "core/finally.hpp"
#include "engine/pause.hpp"
#include "storage/error.hpp"
#include "storage/handler_purpose.hpp"

#include <exception>
#include <utility>

namespace millrace::engine {

using core::Finally;

namespace {

std::string duration_text(std::chrono::milliseconds duration) {
    if (duration.count() % 1000 == 0) return std::to_string(duration.count() / 1000) + " s";
    return std::to_string(duration.count()) + " ms";
}

std::string text_of(const storage::Error& error) {
    return error.sqlstate().empty() ? error.what() : std::string{error.what()} + " [" + error.sqlstate() + "]";
}

constexpr auto no_exception = "it threw what is no std::exception";

// Successors belong to the trace of the run that asked for them.
core::Outcome with_trace(core::Outcome outcome, const core::Job& job) {
    auto* completed = std::get_if<core::Completed>(&outcome);
    if (completed == nullptr || job.traceparent.empty()) return outcome;
    for (auto& successor : completed->successors) {
        if (successor.traceparent.empty()) successor.traceparent = job.traceparent;
    }
    return outcome;
}

// A failure of this kind may be the job's own doing (a statement that crashes its backend), so it counts as an attempt.
core::Outcome failed_by(const storage::ConnectionLost& reason) {
    return core::Failed{std::string{"connection to the database lost: "} + reason.what(), {}};
}

// After the effects were rolled back.
bool is_settled_apart(const core::Outcome& outcome) {
    return std::holds_alternative<core::Failed>(outcome) || std::holds_alternative<core::Released>(outcome) ||
           std::holds_alternative<core::Cancelled>(outcome);
}

}  // namespace

Executor::Executor(const Surroundings& surroundings, Backlog& backlog, RunningAttempts::Slot& slot)
    : with_{surroundings},
      backlog_{backlog},
      slot_{slot},
      connection_{surroundings.sessions, storage::handler_purpose, surroundings.answers, surroundings.stats,
                  surroundings.log} {}

void Executor::run() {
    while (const auto attempt = backlog_.next()) {
        const Finally done{[this] { backlog_.done(); }};
        attend(*attempt);
    }
}

void Executor::attend(const Attempt& attempt) {
    auto outcome = attempt.trace ? run_traced(attempt) : run_in_slot(attempt);
    if (!outcome) return;
    log_failure(attempt.job, *outcome);
    const auto urgency = backlog_.has_waiting() ? Urgency::can_wait : Urgency::now;
    with_.completer.submit({attempt.job.id, attempt.job.fence, std::move(*outcome)}, attempt.lease, *attempt.tally,
                           urgency, attempt.trace);
}

std::optional<core::Outcome> Executor::run_traced(const Attempt& attempt) {
    const auto started_at = Clock::now();
    auto outcome = run_in_slot(attempt);
    const auto became = outcome ? core::name_of(*outcome) : std::string_view{};
    with_.spans->note_run(*attempt.trace, {started_at, Clock::now()}, became);
    return outcome;
}

std::optional<core::Outcome> Executor::run_in_slot(const Attempt& attempt) {
    const auto stop = slot_.begin(attempt);
    const Finally end{[this] { slot_.end(); }};
    if (attempt.lease->lost) {  // looked at after `begin`: from there on a loss stops the slot
        count_lost(attempt, "lease lost before the attempt was started");
        return std::nullopt;
    }
    const auto started_at = Clock::now();
    if (attempt.job.attempt == 1 && attempt.enqueued_at != Clock::time_point::max()) {
        with_.queue_stats.wait.observe(started_at - attempt.enqueued_at);
    }
    // Looked at after `begin`, too: a request that comes later stops the slot.
    if (with_.attempts.is_cancelled(attempt.job)) return core::Cancelled{"it had not been started"};
    auto outcome = outcome_of(attempt, stop);
    with_.queue_stats.run.observe(Clock::now() - started_at);
    if (outcome) log_stop(attempt.job, *outcome);
    return outcome;
}

std::optional<core::Outcome> Executor::outcome_of(const Attempt& attempt, const std::stop_token& stop) {
    const auto& job = attempt.job;
    if (job.kind.empty()) return core::Discarded{"the job's row is gone: its partition was dropped"};
    const auto* entry = with_.registry.find(job.kind);
    if (entry != nullptr && !std::holds_alternative<Registry::Unavailable>(*entry)) {
        if (auto refused = refused_by_schema(job)) return refused;
    }
    if (entry != nullptr) {
        if (const auto* handler = std::get_if<std::unique_ptr<Handler>>(entry)) {
            return with_trace(judged(run_plain(**handler, job, stop), job), job);
        }
        if (const auto* handler = std::get_if<std::unique_ptr<TransactionalHandler>>(entry)) {
            return run_in_transaction(**handler, attempt, stop);
        }
    }
    with_.attempt_log.write(ops::Level::error, "was handed a kind that this worker has not named as its own", job);
    return core::Snoozed{unknown_kind_delay};
}

std::optional<core::Outcome> Executor::refused_by_schema(const core::Job& job) {
    auto refusal = with_.schemas.refusal(job);
    if (!refusal) return std::nullopt;
    if (refusal->bad_schema && with_.complaints.is_news(job.kind, Clock::now())) {
        with_.attempt_log.write(ops::Level::error, "the schema of this kind is not understood, its jobs are put off",
                                job, {{"reason", *refusal->bad_schema}});
    }
    return std::move(refusal->outcome);
}

core::Outcome Executor::run_plain(Handler& handler, const core::Job& job, const std::stop_token& stop) {
    try {
        return handler.run(job, stop);
    } catch (const storage::ConnectionLost& reason) {
        return failed_by(reason);
    } catch (const storage::Error& error) {
        return core::Failed{text_of(error), {}};
    } catch (const std::exception& error) {
        return core::Failed{error.what(), {}};
    } catch (...) {
        return core::Failed{no_exception, {}};
    }
}

std::optional<core::Outcome> Executor::run_in_transaction(TransactionalHandler& handler, const Attempt& attempt,
                                                          const std::stop_token& stop) {
    const auto& job = attempt.job;
    bool began = false;
    bool committing = false;
    storage::Settlement settlement{job.id, job.fence, core::Released{}};
    try {
        auto& session = connection_.get_now();
        const Finally drop{[&] {  // after the transaction's end; the next attempt must not find a connection hung up
            if (stop.stop_requested()) connection_.drop();
        }};
        const auto waiting = connection_.await_answer(session);  // also while its handler runs, and for the roll-back
        storage::Transaction transaction{session};
        began = true;
        Clock::time_point asked_at;
        {
            const RunningAttempts::Slot::Use use{slot_, session};
            const std::stop_callback hang_up{stop, [&] {  // what its handler still does is of no use then
                                                 if (slot_.reason() == StopReason::lease_lost) session.hang_up();
                                             }};
            settlement.outcome = with_trace(judged(handler.run(job, transaction, stop), job), job);
            if (is_settled_apart(settlement.outcome)) return std::move(settlement.outcome);
            asked_at = Clock::now();
            storage::settle_within(transaction, settlement);  // may wait for a lock; the commit is not to be hung up
        }
        committing = true;
        transaction.commit();
        connection_.worked();
        trace_settle(attempt, asked_at, core::name_of(settlement.outcome));
        with_.completer.note_settled(settlement, *attempt.tally);
        log_failure(job, settlement.outcome);
        return std::nullopt;
    } catch (const storage::LeaseLost&) {
        count_lost(attempt, "lease lost, the effects were rolled back");
        return std::nullopt;
    } catch (const storage::ConnectionLost& reason) {
        if (stop.stop_requested() && !committing) return judged(failed_by(reason), job);  // we have hung up
        const auto wait = connection_.lost(reason);
        if (!began) {  // nothing of the job has run: there is no attempt to count, and no use in the next one yet
            pause(stop, wait);
            return core::Released{};
        }
        if (committing) return resolve_doubt(attempt, settlement, stop);
        return judged(failed_by(reason), job);
    } catch (const storage::Error& error) {
        return judged(core::Failed{text_of(error), {}}, job);
    } catch (const std::exception& error) {
        return judged(core::Failed{error.what(), {}}, job);
    } catch (...) {
        return judged(core::Failed{no_exception, {}}, job);
    }
}

// The answer to the commit was lost. If the fence still holds the job, the commit did not take place, and neither did
// the effects. It must not be settled as it was meant to be: that would complete the job without them. If the fence
// does not hold it, repeating the settle tells whether it was ours that did it.
std::optional<core::Outcome> Executor::resolve_doubt(const Attempt& attempt, const storage::Settlement& settlement,
                                                     const std::stop_token& stop) {
    std::optional<core::Outcome> outcome;
    const auto asked_at = Clock::now();
    const bool answered = connection_.repeat(stop, [&](storage::Session& session) {
        storage::JobStore jobs{session};
        try {
            jobs.assert_lease(settlement.job, settlement.fence);
            outcome = core::Failed{"the commit of its effects failed", {}};
        } catch (const storage::LeaseLost&) {
            const bool was_ours = jobs.settle(std::span{&settlement, 1}).empty();
            auto& tally = *attempt.tally;
            was_ours ? with_.completer.note_settled(settlement, tally) : with_.stats.count_lost(tally);
            trace_settle(attempt, asked_at, was_ours ? core::name_of(settlement.outcome) : Spans::lost);
        }
    });
    // Stopped meanwhile: if the commit did take place, the fence is gone, and this changes nothing.
    if (!answered) return judged(core::Failed{"the answer to the commit of its effects was lost", {}}, attempt.job);
    return outcome;
}

void Executor::trace_settle(const Attempt& attempt, Clock::time_point asked_at, std::string_view outcome) const {
    if (attempt.trace) with_.spans->note_settle(*attempt.trace, {asked_at, Clock::now()}, outcome, 1);
}

core::Outcome Executor::judged(core::Outcome outcome, const core::Job& job) const {
    const auto reason = slot_.reason();
    if (reason == StopReason::none || std::holds_alternative<core::Completed>(outcome) ||
        std::holds_alternative<core::Discarded>(outcome)) {
        return outcome;
    }
    if (reason == StopReason::cancelled) return core::Cancelled{stop_record(outcome)};
    if (reason != StopReason::deadline) return core::Released{};
    const auto record = stop_record(outcome);
    const auto error = "timed out after " + duration_text(job.timeout.value_or(std::chrono::milliseconds{0}));
    return core::Failed{record.empty() ? error : error + ": " + record, {}};
}

// How far it had to go, and what the handler said of it.
std::string Executor::stop_record(const core::Outcome& outcome) const {
    const auto* failed = std::get_if<core::Failed>(&outcome);
    auto said = failed == nullptr ? std::string{} : failed->error;
    if (!slot_.was_hung_up()) return said;
    auto step = "its database session was hung up after " + duration_text(with_.stop_grace);
    return said.empty() ? step : step + ": " + said;
}

void Executor::log_stop(const core::Job& job, const core::Outcome& outcome) const {
    const auto reason = slot_.reason();
    if (std::holds_alternative<core::Completed>(outcome)) return;
    if (reason != StopReason::deadline && reason != StopReason::cancelled) return;
    with_.attempt_log.write(ops::Level::info, "attempt stopped", job,
                            {{"reason", reason == StopReason::deadline ? "deadline" : "cancelled"},
                             {"steps", slot_.was_hung_up() ? "asked, session hung up" : "asked"}});
}

void Executor::count_lost(const Attempt& attempt, std::string_view reason) {
    with_.stats.count_lost(*attempt.tally);
    trace_settle(attempt, Clock::now(), Spans::lost);
    with_.attempt_log.write(ops::Level::warning, "attempt void", attempt.job, {{"reason", reason}});
}

// Why it failed is in the view `jobs`; here it might quote the payload.
void Executor::log_failure(const core::Job& job, const core::Outcome& outcome) const {
    if (std::holds_alternative<core::Discarded>(outcome)) {
        with_.attempt_log.write(ops::Level::warning, "attempt failed for good", job);
    } else if (std::holds_alternative<core::Failed>(outcome)) {
        const bool is_last = job.attempt >= job.max_attempts;
        with_.attempt_log.write(is_last ? ops::Level::warning : ops::Level::info,
                                is_last ? "last attempt failed" : "attempt failed", job,
                                {{"max_attempts", job.max_attempts}});
    }
}

}  // namespace millrace::engine
