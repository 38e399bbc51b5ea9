#include "engine/completer.hpp"

#include "core/printable.hpp"
#include "engine/pause.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace millrace::engine {
namespace {

using Speaker = AnswerWatch::Speaker;

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

std::size_t bytes_of(const core::Completed& completed) {
    auto bytes = completed.result.size();
    for (const auto& successor : completed.successors)
        bytes += successor.payload.size();
    return bytes;
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
      connection_{sessions, "completer", answers, stats, log, Speaker::completer} {}

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
    drained_.wait(lock, stop, [&] { return pending_.size() + aside_size_ < results; });
}

void Completer::run(const std::stop_token& stop, const std::stop_token& give_up) {
    while (!give_up.stop_requested()) {
        auto batch = next_batch(stop);
        if (batch.size() > 0) {
            settle(std::move(batch), give_up);
        } else if (aside_.size() == 0) {
            return;
        } else if (stop.stop_requested()) {
            pause(give_up, std::chrono::ceil<std::chrono::milliseconds>(aside_at_ - Clock::now()));
        }
        if (aside_.size() > 0 && Clock::now() >= aside_at_) settle_apart(std::exchange(aside_, {}), give_up);
    }
}

// As many as settle_many takes in one call, and as this process can well hold twice.
Completer::Batch Completer::Batch::take(std::size_t limit) {
    std::size_t successors = 0;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < std::min(limit, size()); ++i) {
        if (const auto* completed = std::get_if<core::Completed>(&settlements[i].outcome)) {
            successors += completed->successors.size();
            bytes += bytes_of(*completed);
        }
        if ((successors > most_successors || bytes > most_bytes) && i > 0) limit = i;
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

void Completer::Batch::append(Batch other) {
    const auto move_to = [](auto& to, auto& from) {
        to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    };
    move_to(settlements, other.settlements);
    move_to(leases, other.leases);
    move_to(tallies, other.tallies);
    move_to(traces, other.traces);
}

// Empty when stop was requested and nothing is left, or when what was put aside is due.
Completer::Batch Completer::next_batch(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    waiting_ = true;
    const auto has_some = [&] { return pending_.size() > 0; };
    if (aside_.size() == 0) {
        arrived_.wait(lock, stop, has_some);
    } else {
        arrived_.wait_until(lock, stop, aside_at_, has_some);
    }
    arrived_.wait_until(lock, stop, first_at_ + longest_wait,
                        [&] { return pending_.size() == 0 || pending_.size() >= full_batch || urgent_; });
    waiting_ = false;
    auto batch = pending_.take(full_batch);
    if (pending_.size() == 0) urgent_ = false;
    drained_.notify_all();
    return batch;
}

// One result that the database cannot store (invalid JSON, too large) must not keep the others from being settled, and
// its job must not stay running for ever: the attempt has failed for that reason. The log has its SQLSTATE only: its
// words may quote the result.
void Completer::settle(Batch batch, const std::stop_token& give_up) {
    try {
        if (send(batch.results(), storage::JobStore::lock_patience, give_up)) return;
    } catch (const storage::Error& reason) {
        log_.write(ops::Level::warning, "a batch of results was refused, settling one by one",
                   {{"sqlstate", reason.sqlstate()}});
    }
    settle_apart(std::move(batch), give_up);
}

// Those that have not been tried come before those that are locked when it is their turn again.
void Completer::settle_apart(Batch batch, const std::stop_token& give_up) {
    Batch locked;
    while (batch.size() > 0 && locked.size() < most_locked && !give_up.stop_requested()) {
        auto one = batch.take(1);
        if (!settle_alone(one.results(), give_up)) locked.append(std::move(one));
    }
    batch.append(std::move(locked));
    put_aside(std::move(batch));
}

void Completer::put_aside(Batch batch) {
    if (aside_.size() == 0) aside_at_ = Clock::now() + aside_for;
    aside_.append(std::move(batch));
    const std::lock_guard lock{mutex_};
    const auto before = std::exchange(aside_size_, aside_.size());
    if (aside_size_ > 0) {
        log_.write(before == 0 ? ops::Level::warning : ops::Level::debug,
                   "results are put aside, their rows are locked",
                   {{"jobs", static_cast<std::int64_t>(aside_size_)}, {"one", aside_.settlements.back().job.value}});
    }
    drained_.notify_all();
}

bool Completer::settle_alone(const Results& one, const std::stop_token& give_up) {
    try {
        return send(one, patience_alone, give_up);
    } catch (const storage::Error& reason) {
        return settle_refused(one, reason, give_up);
    }
}

// The attempt has failed for that reason. Should the database not take that either, nothing of the job's own is left to
// object to but that it is to be retried, so it becomes a dead letter. What refuses even that is no longer the database
// that this worker can work with: the exception ends it, and the lease gives its jobs to others.
bool Completer::settle_refused(const Results& one, const storage::Error& reason, const std::stop_token& give_up) {
    const auto& refused = one.settlements.front();
    const std::string error{std::string{"its outcome was refused: "} + reason.what()};
    storage::Settlement instead{refused.job, refused.fence, core::Failed{error, {}}};
    sanitize(instead.outcome);
    const Results told{std::span{&instead, 1}, one.tallies, one.traces};
    try {
        return send(told, patience_alone, give_up);
    } catch (const storage::Error& again) {
        log_.write(ops::Level::error, "a failure was refused, its job becomes a dead letter",
                   {{"job", refused.job.value}, {"sqlstate", again.sqlstate()}});
        instead.outcome = core::Discarded{error};
        sanitize(instead.outcome);
        return send(told, patience_alone, give_up);
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

bool Completer::send(const Results& results, std::chrono::milliseconds patience, const std::stop_token& give_up) {
    std::vector<core::JobId> lost;
    bool locked = false;
    const auto asked_at = Clock::now();
    const bool answered = connection_.repeat(give_up, [&](storage::Session& session) {
        try {
            lost = storage::JobStore{session}.settle(results.settlements, patience);
        } catch (const storage::Error& reason) {
            locked = reason.is_locked();
            if (!locked) throw;
        }
    });
    if (answered && !locked) {
        const Spans::Interval time{asked_at, Clock::now()};
        account_for(results, lost);
        if (spans_ != nullptr) trace_settles(results, lost, time);
    }
    return !locked;
}

void Completer::trace_settles(const Results& results, const std::vector<core::JobId>& lost,
                              const Spans::Interval& time) {
    const auto& settlements = results.settlements;
    for (std::size_t i = 0; i < settlements.size(); ++i) {
        if (!results.traces[i]) continue;
        const bool is_lost = std::find(lost.begin(), lost.end(), settlements[i].job) != lost.end();
        spans_->note_settle(*results.traces[i], time, is_lost ? Spans::lost : core::name_of(settlements[i].outcome),
                            settlements.size());
    }
}

void Completer::account_for(const Results& results, const std::vector<core::JobId>& lost) {
    for (std::size_t i = 0; i < results.settlements.size(); ++i) {
        const auto& settlement = results.settlements[i];
        if (std::find(lost.begin(), lost.end(), settlement.job) != lost.end()) {
            stats_.count_lost(*results.tallies[i]);
        } else {
            note_settled(settlement, *results.tallies[i]);
        }
    }
    if (!lost.empty()) {
        log_.write(ops::Level::warning, "results dropped, their jobs are no longer ours",
                   {{"jobs", static_cast<std::int64_t>(lost.size())}, {"first", lost.front().value}});
    }
}

}  // namespace millrace::engine
