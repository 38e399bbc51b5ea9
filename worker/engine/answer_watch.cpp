#include "engine/answer_watch.hpp"

#include <algorithm>

namespace millrace::engine {

// Whoever had a connection in hand when the database fell silent, but had sent nothing yet, must not begin now.
AnswerWatch::Waiting::Waiting(AnswerWatch& watch, storage::Session& session, Speaker speaker) : watch_{watch} {
    const std::lock_guard lock{watch_.mutex_};
    const bool is_too_late = (watch_.silent_ && speaker != Speaker::heartbeat) || watch_.is_dismissed(speaker);
    if (is_too_late) session.hang_up();
    wait_ = watch_.waits_.insert(watch_.waits_.end(), {&session, speaker, Clock::now(), is_too_late});
}

AnswerWatch::Waiting::~Waiting() {
    const std::lock_guard lock{watch_.mutex_};
    watch_.waits_.erase(wait_);
}

int AnswerWatch::hang_up_unanswered(Clock::time_point now) {
    const std::lock_guard lock{mutex_};
    const bool falls_silent = std::any_of(waits_.begin(), waits_.end(), [&](const Wait& wait) {
        return wait.speaker == Speaker::heartbeat && !wait.hung_up && now - wait.since >= patience_;
    });
    if (!falls_silent) return 0;
    silent_ = true;
    ++silences_;
    int hung_up = 0;
    for (auto& wait : waits_) {
        if (wait.hung_up) continue;
        wait.session->hang_up();
        wait.hung_up = true;
        ++hung_up;
    }
    return hung_up;
}

int AnswerWatch::dismiss(Speaker speaker) {
    const std::lock_guard lock{mutex_};
    dismissed_.push_back(speaker);
    int hung_up = 0;
    for (auto& wait : waits_) {
        if (wait.speaker != speaker || wait.hung_up) continue;
        wait.session->hang_up();
        wait.hung_up = true;
        ++hung_up;
    }
    return hung_up;
}

bool AnswerWatch::is_dismissed(Speaker speaker) const {
    return std::find(dismissed_.begin(), dismissed_.end(), speaker) != dismissed_.end();
}

void AnswerWatch::note_answer() {
    silent_ = false;
}

}  // namespace millrace::engine
