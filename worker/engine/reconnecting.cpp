#include "engine/reconnecting.hpp"

#include "engine/pause.hpp"

namespace millrace::engine {

Reconnecting::Reconnecting(const storage::SessionFactory& sessions, std::string purpose, Stats& stats, ops::Log& log)
    : sessions_{sessions}, purpose_{std::move(purpose)}, stats_{stats}, log_{log} {}

storage::Session* Reconnecting::get(const std::stop_token& stop) {
    while (!session_ && !stop.stop_requested()) {
        try {
            session_ = sessions_.open(purpose_);
            if (std::exchange(was_open_, true)) {
                ++stats_.reconnects;
                log_.write(ops::Level::info, "connection restored", {{"purpose", purpose_}});
            }
        } catch (const storage::ConnectionLost& reason) {
            lost(stop, reason);
        }
    }
    return stop.stop_requested() ? nullptr : session_.get();
}

void Reconnecting::lost(const std::stop_token& stop, const storage::ConnectionLost& reason) {
    session_.reset();
    log_.write(ops::Level::warning, was_open_ ? "connection lost" : "cannot connect",
               {{"purpose", purpose_}, {"reason", reason.what()}});
    pause(stop, backoff_.next());
}

void Reconnecting::delayed(const std::stop_token& stop, const storage::Error& reason) {
    log_.write(ops::Level::warning, "statement refused, trying again",
               {{"purpose", purpose_}, {"reason", reason.what()}, {"sqlstate", reason.sqlstate()}});
    pause(stop, backoff_.next());
}

}  // namespace millrace::engine
