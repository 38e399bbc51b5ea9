#include "engine/heartbeat.hpp"

#include <algorithm>
#include <utility>

namespace millrace::engine {

Heartbeat::Heartbeat(const storage::SessionFactory& sessions, storage::WorkerInfo worker, RunningAttempts& attempts,
                     AnswerWatch& answers, Stats& stats, ops::Log& log)
    : worker_{std::move(worker)},
      attempts_{attempts},
      stats_{stats},
      log_{log},
      answers_{answers},
      connection_{sessions, "heartbeat", answers, stats, log, AnswerWatch::Speaker::heartbeat},
      rounds_{2 * worker_.lease + connecting} {}

void Heartbeat::open(const std::stop_token& stop) {
    connection_.repeat(stop, [&](storage::Session& session) {
        if (answers_.is_silent() && waits_for_standby(session)) {
            throw storage::ConnectionLost{"the primary waits for its synchronous standby"};
        }
        open_session(session);
    });
    rounds_.note();
}

void Heartbeat::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        rounds_.note();
        auto pause = worker_.lease / 3;
        try {
            auto& session = connection_.get_now();
            if (answers_.is_silent()) {
                if (waits_for_standby(session)) {
                    wait(stop, answers_.patience());
                    continue;
                }
                retire_all();
            }
            beat(session);
            close_retired(session);
            if (lacks_current()) open_session(session);
            connection_.worked();
        } catch (const storage::ConnectionLost& reason) {
            pause = connection_.lost(reason);
        } catch (const storage::Error& reason) {
            if (!reason.is_passing()) throw;
            pause = connection_.refused(reason);
        }
        wait(stop, pause);
    }
}

void Heartbeat::close(const std::stop_token& give_up) {
    for (const auto worker : held_ids()) {
        connection_.repeat(give_up, [&](storage::Session& session) {
            try {
                const auto returned = storage::WorkerStore{session}.close(worker);
                log_.write(ops::Level::info, "session closed", {{"session", worker.value}, {"given_back", returned}});
            } catch (const storage::SessionEnded&) {
                // closed by the same call before its answer was lost, or reaped: either way it is over
            }
        });
    }
}

std::shared_ptr<const Lease> Heartbeat::current(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    const auto find = [&] { return std::find_if(held_.begin(), held_.end(), [](auto& h) { return !h.retired; }); };
    changed_.wait(lock, stop, [&] { return find() != held_.end(); });
    const auto found = find();
    return stop.stop_requested() || found == held_.end() ? nullptr : found->lease;
}

void Heartbeat::lose(const std::shared_ptr<const Lease>& lease) {
    drop(lease->worker, "ended by the database");
}

void Heartbeat::retire(const std::shared_ptr<const Lease>& lease) {
    const std::lock_guard lock{mutex_};
    for (auto& held : held_) {
        if (held.lease == lease) held.retired = true;
    }
    poked_ = true;
    changed_.notify_all();
}

// Who answers after a silence may be a standby that was promoted, and lack what was settled last: those jobs run there
// under our session, and nobody here knows of them. Its close gives them back.
void Heartbeat::retire_all() {
    const std::lock_guard lock{mutex_};
    for (auto& held : held_)
        held.retired = true;
}

void Heartbeat::start_draining() {
    const std::lock_guard lock{mutex_};
    draining_ = true;
    poked_ = true;
    changed_.notify_all();
}

void Heartbeat::look_for_requests(std::optional<core::WorkerId> session) {
    const std::lock_guard lock{mutex_};
    const bool is_ours = !session || std::any_of(held_.begin(), held_.end(),
                                                 [&](const Held& held) { return held.lease->worker == *session; });
    if (!is_ours) return;
    poked_ = true;
    changed_.notify_all();
}

bool Heartbeat::holds_session() const {
    const std::lock_guard lock{mutex_};
    return std::any_of(held_.begin(), held_.end(), [](const Held& held) { return !held.retired; });
}

std::optional<Clock::duration> Heartbeat::age() const {
    const std::lock_guard lock{mutex_};
    return renewed_at_ ? std::optional{Clock::now() - *renewed_at_} : std::nullopt;
}

void Heartbeat::expire(Clock::time_point now) {
    std::vector<core::WorkerId> expired;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& held : held_) {
            if (held.trusted_until <= now) expired.push_back(held.lease->worker);
        }
    }
    for (const auto worker : expired)
        drop(worker, "not renewed in time");
}

// Whatever was hung up there goes on waiting, and one statement more would wait with it: each holds a backend, of which
// a server has not so many.
bool Heartbeat::waits_for_standby(storage::Session& session) {
    const auto waiting = connection_.await_answer(session);
    return storage::WorkerStore{session}.waits_for_standby(answers_.patience());
}

void Heartbeat::open_session(storage::Session& session) {
    const auto waiting = connection_.await_answer(session);
    const auto sent = Clock::now();
    const auto opened = storage::WorkerStore{session}.open(worker_);
    answers_.note_answer();
    {
        const std::lock_guard lock{mutex_};
        held_.push_back({std::make_shared<Lease>(opened), sent + worker_.lease});
        renewed_at_ = sent;
        changed_.notify_all();
    }
    log_.write(ops::Level::info, "session opened", {{"session", opened.value}, {"worker", worker_.name}});
}

void Heartbeat::beat(storage::Session& session) {
    const auto draining = [&] {
        const std::lock_guard lock{mutex_};
        return draining_ ? storage::Draining::yes : storage::Draining::no;
    }();
    std::vector<storage::CancelRequest> requests;
    for (const auto worker : held_ids()) {
        const auto waiting = connection_.await_answer(session);
        const auto sent = Clock::now();
        try {
            storage::WorkerStore{session}.heartbeat(worker, draining);
            answers_.note_answer();
        } catch (const storage::SessionEnded& reason) {
            drop(worker, reason.what());
            continue;
        }
        if (renew(worker, sent)) continue;
        const auto more = storage::WorkerStore{session}.cancel_requests(worker);
        requests.insert(requests.end(), more.begin(), more.end());
    }
    attempts_.cancel(std::move(requests));
}

// Whether no attempt holds the lease: then there is none to be cancelled.
bool Heartbeat::renew(core::WorkerId worker, Clock::time_point sent) {
    const std::lock_guard lock{mutex_};
    renewed_at_ = sent;
    bool idle = true;
    for (auto& held : held_) {
        if (held.lease->worker != worker) continue;
        held.trusted_until = sent + worker_.lease;
        idle = held.lease.use_count() == 1;
    }
    return idle;
}

void Heartbeat::close_retired(storage::Session& session) {
    std::vector<core::WorkerId> idle;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& held : held_) {
            if (held.retired && held.lease.use_count() == 1) idle.push_back(held.lease->worker);
        }
    }
    for (const auto worker : idle) {
        try {
            const AnswerWatch::Waiting waiting{answers_, session, AnswerWatch::Speaker::other};  // it may take a while
            const auto returned = storage::WorkerStore{session}.close(worker);
            log_.write(ops::Level::info, "retired session closed",
                       {{"session", worker.value}, {"given_back", returned}});
        } catch (const storage::SessionEnded&) {
            // by the same call before its answer was lost, or reaped
        } catch (const storage::Error& reason) {
            if (!reason.is_locked()) throw;
            log_.write(ops::Level::warning, "a retired session is locked, it is closed later",
                       {{"session", worker.value}});
            continue;
        }
        const std::lock_guard lock{mutex_};
        std::erase_if(held_, [&](const Held& held) { return held.lease->worker == worker; });
    }
}

bool Heartbeat::lacks_current() const {
    const std::lock_guard lock{mutex_};
    return !draining_ && std::all_of(held_.begin(), held_.end(), [](const Held& held) { return held.retired; });
}

std::vector<core::WorkerId> Heartbeat::held_ids() const {
    const std::lock_guard lock{mutex_};
    std::vector<core::WorkerId> ids;
    for (const auto& held : held_)
        ids.push_back(held.lease->worker);
    return ids;
}

void Heartbeat::drop(core::WorkerId worker, std::string_view reason) {
    std::shared_ptr<Lease> lost;
    {
        const std::lock_guard lock{mutex_};
        const auto found =
            std::find_if(held_.begin(), held_.end(), [&](const Held& held) { return held.lease->worker == worker; });
        if (found == held_.end()) return;  // another thread was first
        lost = std::move(found->lease);
        held_.erase(found);
        poked_ = true;
        changed_.notify_all();
    }
    lost->lost = true;
    ++stats_.leases_lost;
    log_.write(ops::Level::error, "lease lost", {{"session", worker.value}, {"reason", reason}});
    attempts_.stop_of(*lost);
}

void Heartbeat::wait(const std::stop_token& stop, std::chrono::milliseconds duration) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, stop, duration, [&] { return poked_; });
    poked_ = false;
}

}  // namespace millrace::engine
