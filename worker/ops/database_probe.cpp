#include "ops/database_probe.hpp"

#include "ops/answer_limit.hpp"
#include "storage/error.hpp"
#include "storage/migrator.hpp"
#include "storage/notify_overview.hpp"

#include <utility>

namespace millrace::ops {

DatabaseProbe::DatabaseProbe(const storage::SessionFactory& sessions, Log& log)
    : sessions_{sessions}, log_{log}, thread_{[this](const std::stop_token& stop) { run(stop); }} {}

DatabaseProbe::Look DatabaseProbe::look() {
    return look(Clock::now() + patience);
}

void DatabaseProbe::ask() {
    const auto oldest = Clock::now() - freshness;
    const std::lock_guard lock{mutex_};
    if (!latest_ || asked_at_ < oldest) want(oldest);
}

DatabaseProbe::Look DatabaseProbe::look(Clock::time_point until) {
    const auto oldest = Clock::now() - freshness;
    const auto is_fresh = [&] { return latest_ && asked_at_ >= oldest; };
    std::unique_lock lock{mutex_};
    if (!is_fresh()) {
        want(oldest);
        if (!changed_.wait_until(lock, until, is_fresh)) {
            return {Obstacle{"database", "gives no answer within 2 s"}, {}};
        }
    }
    return *latest_;
}

// A look that is under way may do.
void DatabaseProbe::want(Clock::time_point oldest) {
    if (under_way_since_ && *under_way_since_ >= oldest) return;
    wanted_ = true;
    changed_.notify_all();
}

void DatabaseProbe::run(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (changed_.wait(lock, stop, [&] { return wanted_; })) {
        wanted_ = false;
        const auto asked_at = Clock::now();
        under_way_since_ = asked_at;
        lock.unlock();
        auto look = take(stop);
        lock.lock();
        under_way_since_.reset();
        latest_ = std::move(look);
        asked_at_ = asked_at;
        changed_.notify_all();
    }
}

// A connection that was idle may have been cut long ago: that says nothing about the database now.
DatabaseProbe::Look DatabaseProbe::take(const std::stop_token& stop) {
    const bool was_open = session_ != nullptr;
    auto look = try_take(stop);
    return was_open && session_ == nullptr ? try_take(stop) : look;
}

// What the server says in its own words goes to the log: it may name hosts and users.
DatabaseProbe::Look DatabaseProbe::try_take(const std::stop_token& stop) {
    try {
        if (!session_) session_ = sessions_.open("probe");
        const std::stop_callback hang_up{stop, [this] { session_->hang_up(); }};
        const AnswerLimit limit{*session_};
        check_schema(*session_);
        Look look{std::nullopt, storage::queue_overview(*session_),
                  storage::NotifyOverview{*session_}.oldest_pending_seconds(),
                  storage::PipelineOverview{*session_}.numbers()};
        note("");
        return look;
    } catch (const storage::ConnectionLost& error) {
        session_.reset();
        note(error.what());
        return {Obstacle{"database", "cannot be reached"}, {}};
    } catch (const storage::SchemaMismatch& error) {
        const auto reason = std::string{error.what()} + ". " + error.hint();
        note(reason);
        return {Obstacle{"schema", reason}, {}};
    } catch (const storage::Error& error) {
        note(error.what());
        return {Obstacle{"database", "refuses to be looked at, SQLSTATE " + error.sqlstate()}, {}};
    }
}

void DatabaseProbe::check_schema(storage::Session& session) {
    if (!allows_upgrades_) return storage::verify_schema(session);
    if (storage::verify_upgraded_schema(session) || std::exchange(is_upgrade_told_, true)) return;
    log_.write(Level::info, "the schema has been upgraded by a newer release, this one works on until it is replaced");
}

void DatabaseProbe::note(const std::string& reason) {
    if (std::exchange(told_, reason) == reason) return;
    if (reason.empty()) {
        log_.write(Level::info, "database fit for work again");
    } else {
        log_.write(Level::warning, "database not fit for work", {{"reason", reason}});
    }
}

}  // namespace millrace::ops
