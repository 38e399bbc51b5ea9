#include "engine/claimer.hpp"

#include "storage/error.hpp"
#include "storage/job_store.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace millrace::engine {

Claimer::Claimer(const Surroundings& surroundings, const QueueSettings& queue, const WorkerSettings& worker,
                 Backlog& backlog, Bell& bell)
    : with_{surroundings},
      queue_{queue},
      backlog_{backlog},
      bell_{bell},
      connection_{surroundings.sessions, "claimer " + queue.name, surroundings.answers,
                  surroundings.stats,    surroundings.log,        AnswerWatch::Speaker::claimer},
      rhythm_{worker.poll_interval, worker.listening},
      prefetch_{queue.slots, queue.max_prefetch},
      poll_{worker.poll_interval},
      ask_for_rate_every_{worker.listening == Listening::on ? ask_for_rate_when_told_every : ask_for_rate_every} {}

void Claimer::run(const std::stop_token& stop) {
    static_cast<void>(until_token(stop));  // before anything is claimed ahead
    while (!stop.stop_requested()) {
        with_.completer.await_below(most_unsettled, stop);
        const auto ahead = prefetch_.update(Clock::now(), backlog_.finished());
        const auto room = backlog_.await_room(stop, is_rated_ ? 0 : ahead, patience);
        if (room == 0) {
            give_back_stuck();
            continue;
        }
        const auto claimed = claim(stop, room);
        if (!claimed || (*claimed == 0 && await_token(stop))) continue;
        follow(stop, rhythm_.after_claim(Clock::now(), *claimed));
    }
}

void Claimer::adjust(const QueueSettings& queue) noexcept {
    prefetch_.set_slots(queue.slots);
    prefetch_.set_limit(queue.max_prefetch);
}

std::optional<std::size_t> Claimer::claim(const std::stop_token& stop, std::size_t room) {
    const auto lease = with_.heartbeat.current(stop);  // first, for it may wait, and a connection grows old
    auto* session = lease == nullptr ? nullptr : connection_.get(stop);
    if (session == nullptr || lease->lost) return std::nullopt;

    std::vector<core::Job> jobs;
    const auto asked_at = Clock::now();
    try {
        const auto waiting = connection_.await_answer(*session);
        jobs = storage::JobStore{*session}.claim(lease->worker, queue_.name, room);
        connection_.worked();
    } catch (const storage::SessionEnded&) {
        with_.heartbeat.lose(lease);
        return std::nullopt;
    } catch (const storage::ConnectionLost& reason) {
        with_.heartbeat.retire(lease);
        rhythm_.forget();
        pause(stop, connection_.lost(reason));
        return std::nullopt;
    } catch (const storage::Error& reason) {
        if (!reason.is_passing()) throw;
        pause(stop, connection_.refused(reason));
        return std::nullopt;
    }
    const auto answered_at = Clock::now();
    with_.queue_stats.claim.observe(answered_at - asked_at);
    with_.queue_stats.batch.observe(jobs.size());
    ++with_.stats.claims;
    with_.stats.claimed += jobs.size();
    if (!jobs.empty()) with_.maintenance.note_claimed(queue_.name, jobs.size());

    const auto amount = jobs.size();
    std::size_t bytes = 0;
    std::vector<Attempt> attempts;
    attempts.reserve(amount);
    for (auto& job : jobs) {
        bytes += job.payload.size();
        const auto deadline = job.timeout ? asked_at + *job.timeout : Clock::time_point::max();
        const auto enqueued_at = job.age ? answered_at - *job.age : Clock::time_point::max();
        auto& tally = with_.queue_stats.tally(job.kind);
        auto trace = with_.spans != nullptr ? Spans::begin(job) : nullptr;
        if (trace) with_.spans->note_claim(*trace, {asked_at, answered_at}, amount);
        attempts.push_back({std::move(job), lease, deadline, enqueued_at, &tally, std::move(trace)});
    }
    prefetch_.note_payloads(amount, bytes);
    backlog_.add(std::move(attempts));
    return amount;
}

void Claimer::follow(const std::stop_token& stop, const ClaimRhythm::Step& step) {
    using Next = ClaimRhythm::Next;
    switch (step.next) {
        case Next::claim:
            return;
        case Next::sleep: {
            const bool long_sleep = step.duration >= std::chrono::seconds{1};
            const auto rung = bell_.wait(stop, long_sleep ? jittered(step.duration, random_) : step.duration);
            if (rung) ++with_.stats.wakeups;
            if (rung != Ring::flagless) return;
            rhythm_.forget();
            asked_for_rate_at_ = {};  // whoever gives the queue a rate says flagless
            return;
        }
        case Next::raise:
            connection_.repeat(stop, [&](auto& session) { storage::JobStore{session}.raise_signal(queue_.name); });
            return;
        case Next::lower:
            connection_.repeat(stop, [&](auto& session) { storage::JobStore{session}.lower_signal(queue_.name); });
            return;
    }
}

std::chrono::milliseconds Claimer::until_token(const std::stop_token& stop) {
    std::optional<std::chrono::milliseconds> wait;
    connection_.repeat(stop, [&](auto& session) { wait = storage::JobStore{session}.next_token(queue_.name); });
    is_rated_ = wait.has_value();
    asked_for_rate_at_ = Clock::now();
    return wait.value_or(std::chrono::milliseconds{0});
}

bool Claimer::await_token(const std::stop_token& stop) {
    if (!is_rated_ && Clock::now() - asked_for_rate_at_ < ask_for_rate_every_) return false;
    const auto wait = std::min(until_token(stop), poll_);
    if (is_rated_ && wait == wait.zero()) with_.maintenance.note_scheduled();  // a key's token may be waited for
    const auto token_at = Clock::now() + wait;
    // Who enqueues rings in vain, there is no token for that job either; who has changed the rate says flagless.
    for (auto left = wait; left > left.zero() && !stop.stop_requested();
         left = std::chrono::ceil<std::chrono::milliseconds>(token_at - Clock::now())) {
        const auto rung = bell_.wait(stop, left);
        if (rung) ++with_.stats.wakeups;
        if (rung != Ring::flagless) continue;
        rhythm_.forget();
        break;
    }
    return wait > wait.zero();
}

void Claimer::give_back_stuck() {
    const auto finished = backlog_.finished();
    if (std::exchange(finished_at_last_look_, finished) != finished) return;
    auto stuck = backlog_.take_waiting();
    if (stuck.empty()) return;
    with_.log.write(ops::Level::info, "jobs claimed ahead are given back, no slot came free",
                    {{"queue", queue_.name}, {"jobs", static_cast<std::int64_t>(stuck.size())}});
    for (auto& attempt : stuck) {
        with_.completer.submit({attempt.job.id, attempt.job.fence, core::Released{}}, std::move(attempt.lease),
                               *attempt.tally, Urgency::now);
    }
}

}  // namespace millrace::engine
