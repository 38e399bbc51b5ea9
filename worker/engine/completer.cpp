#include "engine/completer.hpp"

#include "core/printable.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace millrace::engine {
namespace {

constexpr std::size_t longest_error = 8000;  // bytes kept of an error's text

void sanitize(core::Outcome& outcome) {
    const auto tidy = [](std::string& error) {
        error = core::printable(error, longest_error);
        if (error.empty()) error = "no reason given";
    };
    if (auto* failed = std::get_if<core::Failed>(&outcome)) tidy(failed->error);
    if (auto* discarded = std::get_if<core::Discarded>(&outcome)) tidy(discarded->error);
    if (auto* cancelled = std::get_if<core::Cancelled>(&outcome)) {
        cancelled->note = core::printable(cancelled->note, longest_error);
    }
}

bool is_put_off(const core::Outcome& outcome) {
    if (const auto* completed = std::get_if<core::Completed>(&outcome)) return !completed->successors.empty();
    return std::holds_alternative<core::Failed>(outcome) || std::holds_alternative<core::Snoozed>(outcome);
}

}  // namespace

Completer::Completer(const storage::SessionFactory& sessions, std::function<void()> on_scheduled, AnswerWatch& answers,
                     Stats& stats, ops::Log& log, Spans* spans)
    : on_scheduled_{std::move(on_scheduled)},
      stats_{stats},
      log_{log},
      spans_{spans},
      connection_{sessions, "completer", answers, stats, log} {}

void Completer::submit(storage::Settlement settlement, std::shared_ptr<const Lease> lease, Tally& tally,
                       Urgency urgency, std::shared_ptr<const JobTrace> trace) {
    sanitize(settlement.outcome);
    const std::lock_guard lock{mutex_};
    if (pending_.size() == 0) first_at_ = Clock::now();
    pending_.settlements.push_back(std::move(settlement));
    pending_.leases.push_back(std::move(lease));
    pending_.tallies.push_back(&tally);
    pending_.traces.push_back(std::move(trace));
    const bool first = pending_.size() == 1;
    const bool due = pending_.size() == full_batch || (urgency == Urgency::now && !urgent_);
    urgent_ = urgent_ || urgency == Urgency::now;
    if (waiting_ && (first || due)) arrived_.notify_one();
}

void Completer::await_below(std::size_t results, const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    drained_.wait(lock, stop, [&] { return pending_.size() < results; });
}

void Completer::run(const std::stop_token& stop, const std::stop_token& give_up) {
    while (!give_up.stop_requested()) {
        const auto batch = next_batch(stop);
        if (batch.size() == 0) return;
        settle(batch, give_up);
    }
}

// As many as settle_many takes in one call.
Completer::Batch Completer::Batch::take(std::size_t limit) {
    std::size_t successors = 0;
    for (std::size_t i = 0; i < std::min(limit, size()); ++i) {
        const auto* completed = std::get_if<core::Completed>(&settlements[i].outcome);
        if (completed != nullptr) successors += completed->successors.size();
        if (successors > most_successors && i > 0) limit = i;
    }
    if (size() <= limit) return std::exchange(*this, {});
    const auto move_front = [&](auto& from, auto& to) {
        const auto end = from.begin() + static_cast<std::ptrdiff_t>(limit);
        to.assign(std::make_move_iterator(from.begin()), std::make_move_iterator(end));
        from.erase(from.begin(), end);
    };
    Batch batch;
    move_front(settlements, batch.settlements);
    move_front(leases, batch.leases);
    move_front(tallies, batch.tallies);
    move_front(traces, batch.traces);
    return batch;
}

Completer::Batch Completer::next_batch(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    waiting_ = true;
    arrived_.wait(lock, stop, [&] { return pending_.size() > 0; });
    arrived_.wait_until(lock, stop, first_at_ + longest_wait,
                        [&] { return pending_.size() == 0 || pending_.size() >= full_batch || urgent_; });
    waiting_ = false;
    auto batch = pending_.take(full_batch);
    if (pending_.size() == 0) urgent_ = false;
    drained_.notify_all();
    return batch;
}

// One result that the database cannot store (invalid JSON, too large) must not keep the others from being settled, and
// its job must not stay running for ever: the attempt has failed for that reason.
void Completer::settle(const Batch& batch, const std::stop_token& give_up) {
    try {
        send(batch.settlements, batch.tallies, batch.traces, give_up);
        return;
    } catch (const storage::Error& reason) {
        log_.write(ops::Level::warning, "a batch of results was refused, settling one by one",
                   {{"reason", reason.what()}, {"sqlstate", reason.sqlstate()}});
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto& settlement = batch.settlements[i];
        const Tallies tally{&batch.tallies[i], 1};
        const Traces trace{&batch.traces[i], 1};
        try {
            send(std::span{&settlement, 1}, tally, trace, give_up);
        } catch (const storage::Error& reason) {
            settle_refused(settlement, tally, trace, reason, give_up);
        }
    }
}

// The attempt has failed for that reason. Should the database not take that either, nothing of the job's own is left to
// object to but that it is to be retried, so it becomes a dead letter. What refuses even that is no longer the database
// that this worker can work with: the exception ends it, and the lease gives its jobs to others.
void Completer::settle_refused(const storage::Settlement& settlement, Tallies tally, Traces trace,
                               const storage::Error& reason, const std::stop_token& give_up) {
    const std::string error{std::string{"its outcome was refused: "} + reason.what()};
    storage::Settlement instead{settlement.job, settlement.fence, core::Failed{error, {}}};
    sanitize(instead.outcome);
    try {
        send(std::span{&instead, 1}, tally, trace, give_up);
    } catch (const storage::Error& again) {
        log_.write(ops::Level::error, "a failure was refused, its job becomes a dead letter",
                   {{"job", settlement.job.value}, {"reason", again.what()}, {"sqlstate", again.sqlstate()}});
        instead.outcome = core::Discarded{error};
        sanitize(instead.outcome);
        send(std::span{&instead, 1}, tally, trace, give_up);
    }
}

void Completer::note_settled(const storage::Settlement& settlement, Tally& tally) {
    stats_.count(settlement.outcome, tally);
    log_.write(ops::Level::debug, "settled",
               {{"job", settlement.job.value},
                {"fence", settlement.fence.value},
                {"outcome", core::name_of(settlement.outcome)}});
    if (is_put_off(settlement.outcome)) on_scheduled_();
}

void Completer::send(Settlements settlements, Tallies tallies, Traces traces, const std::stop_token& give_up) {
    std::vector<core::JobId> lost;
    const auto asked_at = Clock::now();
    const bool answered = connection_.repeat(
        give_up, [&](storage::Session& session) { lost = storage::JobStore{session}.settle(settlements); });
    if (!answered) return;
    const auto answered_at = Clock::now();
    account_for(settlements, tallies, lost);
    if (spans_ != nullptr) trace_settles(settlements, traces, lost, {asked_at, answered_at});
}

void Completer::trace_settles(Settlements settlements, Traces traces, const std::vector<core::JobId>& lost,
                              const Spans::Interval& time) {
    for (std::size_t i = 0; i < settlements.size(); ++i) {
        if (!traces[i]) continue;
        const bool is_lost = std::find(lost.begin(), lost.end(), settlements[i].job) != lost.end();
        spans_->note_settle(*traces[i], time, is_lost ? Spans::lost : core::name_of(settlements[i].outcome),
                            settlements.size());
    }
}

void Completer::account_for(Settlements settlements, Tallies tallies, const std::vector<core::JobId>& lost) {
    for (std::size_t i = 0; i < settlements.size(); ++i) {
        const auto& settlement = settlements[i];
        if (std::find(lost.begin(), lost.end(), settlement.job) != lost.end()) {
            stats_.count_lost(*tallies[i]);
        } else {
            note_settled(settlement, *tallies[i]);
        }
    }
    if (!lost.empty()) {
        log_.write(ops::Level::warning, "results dropped, their jobs are no longer ours",
                   {{"jobs", static_cast<std::int64_t>(lost.size())}, {"first", lost.front().value}});
    }
}

}  // namespace millrace::engine
