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
}

bool is_put_off(const storage::Settlement& settlement) {
    const auto& outcome = settlement.outcome;
    if (const auto* completed = std::get_if<core::Completed>(&outcome)) return !completed->successors.empty();
    return std::holds_alternative<core::Failed>(outcome) || std::holds_alternative<core::Snoozed>(outcome);
}

}  // namespace

Completer::Completer(const storage::SessionFactory& sessions, std::function<void()> on_scheduled, Stats& stats,
                     ops::Log& log)
    : on_scheduled_{std::move(on_scheduled)}, stats_{stats}, log_{log},
      connection_{sessions, "completer", stats, log} {}

void Completer::submit(storage::Settlement settlement, std::shared_ptr<const Lease> lease, Urgency urgency) {
    sanitize(settlement.outcome);
    const std::lock_guard lock{mutex_};
    if (pending_.size() == 0) first_at_ = Clock::now();
    pending_.settlements.push_back(std::move(settlement));
    pending_.leases.push_back(std::move(lease));
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
        settle(batch.settlements, give_up);
    }
}

Completer::Batch Completer::Batch::take(std::size_t limit) {
    if (size() <= limit) return std::exchange(*this, {});
    const auto move_front = [&](auto& from, auto& to) {
        const auto end = from.begin() + static_cast<std::ptrdiff_t>(limit);
        to.assign(std::make_move_iterator(from.begin()), std::make_move_iterator(end));
        from.erase(from.begin(), end);
    };
    Batch batch;
    move_front(settlements, batch.settlements);
    move_front(leases, batch.leases);
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
void Completer::settle(std::span<const storage::Settlement> batch, const std::stop_token& give_up) {
    try {
        send(batch, give_up);
        return;
    } catch (const storage::Error& reason) {
        log_.write(ops::Level::warning, "a batch of results was refused, settling one by one",
                   {{"reason", reason.what()}, {"sqlstate", reason.sqlstate()}});
    }
    for (const auto& settlement : batch) {
        try {
            send(std::span{&settlement, 1}, give_up);
        } catch (const storage::Error& reason) {
            storage::Settlement failure{settlement.job, settlement.fence,
                                        core::Failed{std::string{"its outcome was refused: "} + reason.what(), {}}};
            sanitize(failure.outcome);
            send(std::span{&failure, 1}, give_up);
        }
    }
}

void Completer::send(std::span<const storage::Settlement> batch, const std::stop_token& give_up) {
    std::vector<core::JobId> lost;
    const bool answered = connection_.repeat(give_up, [&](storage::Session& session) {
        lost = storage::JobStore{session}.settle(batch);
    });
    if (answered) account_for(batch, lost);
}

void Completer::account_for(std::span<const storage::Settlement> batch, const std::vector<core::JobId>& lost) {
    bool put_off = false;
    for (const auto& settlement : batch) {
        if (std::find(lost.begin(), lost.end(), settlement.job) != lost.end()) continue;
        ++stats_.settled(settlement.outcome);
        put_off = put_off || is_put_off(settlement);
    }
    stats_.lost += lost.size();
    if (!lost.empty()) {
        log_.write(ops::Level::warning, "results dropped, their jobs are no longer ours",
                   {{"jobs", static_cast<std::int64_t>(lost.size())}, {"first", lost.front().value}});
    }
    if (put_off) on_scheduled_();
}

}  // namespace millrace::engine
