#include "engine/maintenance.hpp"

#include <algorithm>
#include <utility>

namespace millrace::engine {
namespace {

// This program has no business there any more.
bool ends_the_worker(const storage::Error& error) {
    return error.sqlstate() == "MR011" || error.sqlstate() == "MR012";  // sql/queue/errors.md
}

}  // namespace

Maintenance::Maintenance(const storage::SessionFactory& sessions, std::chrono::milliseconds lease, AnswerWatch& answers,
                         Stats& stats, ops::Log& log, PayloadSchemas& schemas, Listening listening)
    : reap_every_{std::min(lease / 3, reap_at_least_every)},
      stats_{stats},
      schemas_{schemas},
      is_told_{listening == Listening::on},
      log_{log},
      connection_{sessions, "maintenance", answers, stats, log, AnswerWatch::Speaker::maintenance} {
    std::uniform_int_distribution<int> first_minute{0, 60'000};
    partitions_at_ = Clock::now() + std::chrono::milliseconds{first_minute(random_)};
    prune_at_ = Clock::now() + std::chrono::milliseconds{first_minute(random_)};
}

void Maintenance::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        connection_.repeat(stop, [&](storage::Session& session) {
            storage::MaintenanceStore store{session};
            const auto now = Clock::now();
            if (!schemas_loaded_) load_schemas(session);  // no job is claimed before it: who is refused that may end
            chore("load schemas", now, load_at_, [&] { load_schemas(session); });
            chore("promote", now, promote_at_, [&] { promote(store, now); });
            chore("tick", now, tick_at_, [&] { tick(store, now); });
            chore("reap", now, reap_at_, [&] { reap(store, now); });
            chore("advance the low-water", now, advance_at_, [&] { advance(store, now); });
            chore("fold counts", now, fold_at_, [&] { fold(store, now); });
            chore("make partitions", now, partitions_at_, [&] { make_partitions(store, now); });
            chore("prune", now, prune_at_, [&] { prune(store, now); });
            chore("keep notifications up", now, keep_up_at_, [&] { keep_up(store, now); });
        });
        std::unique_lock lock{mutex_};
        noted_.wait_until(lock, stop, next_chore(), [&] {
            const bool first_claim = notes_.claimed > 0 && advance_at_ == Time::max();
            const bool told = notes_.scheduled || notes_.schedules || notes_.schemas;
            return first_claim || notes_.claimed >= advance_after_claims || told;
        });
        take_notes(Clock::now());
    }
}

template <class Do>
void Maintenance::chore(std::string_view name, Time now, Time& due_at, const Do& work) {
    if (now < due_at) return;
    try {
        work();
        refused_.erase(name);
    } catch (const storage::Error& error) {
        if (ends_the_worker(error)) throw;
        log_.write(ops::Level::warning, "a chore was refused, trying again",
                   {{"chore", name}, {"reason", error.what()}, {"sqlstate", error.sqlstate()}});
        due_at = Clock::now() + refused_[name].next();
    }
}

void Maintenance::note_claimed(const std::string& queue, std::size_t jobs) {
    const std::lock_guard lock{mutex_};
    notes_.queues.insert(queue);
    const bool was_idle = notes_.claimed == 0;
    notes_.claimed += jobs;
    if (was_idle || notes_.claimed >= advance_after_claims) noted_.notify_one();
}

void Maintenance::note_scheduled() {
    const std::lock_guard lock{mutex_};
    if (!std::exchange(notes_.scheduled, true)) noted_.notify_one();
}

void Maintenance::note(storage::Announcement::News news) {
    using News = storage::Announcement::News;
    const std::lock_guard lock{mutex_};
    notes_.scheduled = notes_.scheduled || news == News::scheduled;
    notes_.schedules = notes_.schedules || news == News::schedules;
    notes_.schemas = notes_.schemas || news == News::schemas;
    noted_.notify_one();
}

bool Maintenance::is_idle(Time now) const {
    return is_told_ && now - worked_at_ >= idle_after;
}

// With the lock held: what was noted makes chores due earlier, none later.
void Maintenance::take_notes(Time now) {
    auto notes = std::exchange(notes_, {});
    if (notes.scheduled) promote_at_ = std::min(promote_at_, std::max(now, promoted_at_ + promote_at_most_every));
    if (notes.schedules) tick_at_ = std::min(tick_at_, std::max(now, ticked_at_ + tick_at_most_every));
    if (notes.schemas) load_at_ = now;
    if (notes.claimed == 0) return;
    worked_at_ = now;
    unadvanced_claims_ += notes.claimed;
    unadvanced_queues_.merge(notes.queues);
    advances_again_ = true;
    const auto pause = unadvanced_claims_ >= advance_after_claims ? advance_at_most_every : advance_when_busy_every;
    advance_at_ = std::min(advance_at_, std::max(now, advanced_at_ + pause));
    fold_at_ = std::min(fold_at_, in(fold_when_busy_every, now));
}

void Maintenance::promote(storage::MaintenanceStore& store, Time now) {
    const bool full = now >= full_promote_at_;
    const auto promotion = store.promote(full ? storage::Scan::full : storage::Scan::recent);
    const bool more = promotion.promoted == storage::MaintenanceStore::max_promote;
    // While there is more, from the beginning: a recent scan would not see what has been due for longer than two
    // minutes.
    if (more) {
        full_promote_at_ = now;
    } else if (full) {
        full_promote_at_ = in(full_promote_every, now);
    }
    stats_.promoted += static_cast<std::uint64_t>(promotion.promoted);
    promoted_at_ = now;
    promote_at_ = in(is_idle(now) ? promote_when_idle_every : promote_at_least_every, now);
    if (more) {
        promote_at_ = now;
    } else if (promotion.next_due) {
        promote_at_ = std::min(promote_at_, now + std::max(*promotion.next_due, promote_at_most_every));
    }
}

void Maintenance::tick(storage::MaintenanceStore& store, Time now) {
    const auto ticked = store.tick_schedules();
    ticked_at_ = now;
    tick_at_ = in(is_told_ ? look_when_told_every : tick_at_least_every, now);
    if (ticked.next_due) tick_at_ = std::min(tick_at_, now + std::max(*ticked.next_due, tick_at_most_every));
}

void Maintenance::reap(storage::MaintenanceStore& store, Time now) {
    const bool full = now >= full_reap_at_;
    const auto reaped = store.reap(full ? storage::Scan::full : storage::Scan::recent);
    const bool more = reaped == storage::MaintenanceStore::max_reap;
    if (more) {
        full_reap_at_ = now;
    } else if (full) {
        full_reap_at_ = in(full_reap_every, now);
    }
    stats_.reaped += static_cast<std::uint64_t>(reaped);
    reap_at_ = more ? now : in(reap_every_, now);
}

void Maintenance::advance(storage::MaintenanceStore& store, Time now) {
    unadvanced_claims_ = 0;
    advanced_at_ = now;
    if (!store.advance_low_water({unadvanced_queues_.begin(), unadvanced_queues_.end()})) {
        advance_at_ = in(advance_at_most_every, now);  // another worker was at it, for other queues perhaps
    } else if (std::exchange(advances_again_, false)) {
        advance_at_ = in(advance_when_busy_every, now);
    } else {
        unadvanced_queues_.clear();
        advance_at_ = Time::max();
    }
}

void Maintenance::fold(storage::MaintenanceStore& store, Time now) {
    const int folded = store.fold_counts();
    const bool more = folded >= storage::MaintenanceStore::max_fold;
    // The mark of the counts moves with those of the lanes, of which there may be none to move.
    if (folded > 0) advance_at_ = std::min(advance_at_, in(advance_when_busy_every, now));
    fold_at_ = more ? now : in(fold_when_idle_every, now);
}

void Maintenance::make_partitions(storage::MaintenanceStore& store, Time now) {
    const bool more = store.maintain_partitions() > 0;
    partitions_at_ = more ? now : in(partitions_every, now);
}

void Maintenance::prune(storage::MaintenanceStore& store, Time now) {
    const bool more = store.prune() >= storage::MaintenanceStore::max_prune;
    prune_at_ = more ? now : in(prune_every, now);
}

// One worker a minute is enough. What is wrong with it must not keep the other chores from being done: the queue does
// not depend on notifications.
void Maintenance::keep_up(storage::MaintenanceStore& store, Time now) {
    keep_up_at_ = in(keep_up_every, now);
    const bool again = std::exchange(keeps_up_again_, false);
    try {
        keeps_up_again_ = store.keep_up_notifications(again ? std::chrono::milliseconds{0} : keep_up_every * 3 / 4);
    } catch (const storage::Error& error) {
        if (error.is_passing()) throw;
        log_.write(ops::Level::warning, "notifications not kept up",
                   {{"reason", error.what()}, {"sqlstate", error.sqlstate()}});
    }
    if (keeps_up_again_) keep_up_at_ = now;
}

void Maintenance::load_schemas(storage::Session& session) {
    schemas_.load(session);
    schemas_loaded_ = true;
    load_at_ = in(is_told_ ? look_when_told_every : PayloadSchemas::reload_every, Clock::now());
}

Maintenance::Time Maintenance::next_chore() const {
    return std::min(
        {promote_at_, tick_at_, reap_at_, advance_at_, fold_at_, partitions_at_, prune_at_, load_at_, keep_up_at_});
}

}  // namespace millrace::engine
