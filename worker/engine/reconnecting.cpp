#include "engine/reconnecting.hpp"

namespace millrace::engine {
namespace {

constexpr std::chrono::milliseconds silence_pause{100};  // until it is seen that a heartbeat was answered

}  // namespace

Reconnecting::Reconnecting(const storage::SessionFactory& sessions, std::string purpose, AnswerWatch& watch,
                           Stats& stats, ops::Log& log, Speaker speaker)
    : sessions_{sessions}, purpose_{std::move(purpose)}, watch_{watch}, stats_{stats}, log_{log}, speaker_{speaker} {}

storage::Session& Reconnecting::get_now() {
    if (speaker_ != Speaker::heartbeat && watch_.is_silent()) {
        throw storage::ConnectionLost{"the database does not answer"};
    }
    const auto silences = watch_.silences();
    if (session_ && opened_after_ != silences) session_.reset();
    if (!session_) {
        // A handler's statements are its own: what the role says of them holds.
        session_ = sessions_.open(purpose_, speaker_ == Speaker::other ? storage::StatementTimeout::of_the_role
                                                                       : storage::StatementTimeout::none);
        opened_after_ = silences;
        if (std::exchange(was_open_, true)) {
            ++stats_.reconnects;
            log_.write(ops::Level::info, "connection restored", {{"purpose", purpose_}});
        }
    }
    return *session_;
}

storage::Session* Reconnecting::get(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        if (speaker_ != Speaker::heartbeat && watch_.is_silent()) {
            pause(stop, silence_pause);
            continue;
        }
        try {
            return &get_now();
        } catch (const storage::ConnectionLost& reason) {
            pause(stop, lost(reason));
        }
    }
    return nullptr;
}

AnswerWatch::Waiting Reconnecting::await_answer(storage::Session& session) {
    if (opened_after_ != watch_.silences()) session.hang_up();
    return {watch_, session, speaker_};
}

std::chrono::milliseconds Reconnecting::lost(const storage::ConnectionLost& reason) {
    log_.write(ops::Level::warning, session_ ? "connection lost" : "cannot connect",
               {{"purpose", purpose_}, {"reason", reason.what()}});
    session_.reset();
    return backoff_.next();
}

std::chrono::milliseconds Reconnecting::refused(const storage::Error& reason) {
    log_.write(ops::Level::warning, "statement refused, trying again",
               {{"purpose", purpose_}, {"reason", reason.what()}, {"sqlstate", reason.sqlstate()}});
    return backoff_.next();
}

}  // namespace millrace::engine
