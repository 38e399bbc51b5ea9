#include "engine/answer_watch.hpp"

#include <algorithm>

namespace millrace::engine {

AnswerWatch::Waiting::Waiting(AnswerWatch& watch, storage::Session& session, Statement statement) : watch_{watch} {
    const std::lock_guard lock{watch_.mutex_};
    wait_ = watch_.waits_.insert(watch_.waits_.end(), {&session, statement, Clock::now()});
}

AnswerWatch::Waiting::~Waiting() {
    const std::lock_guard lock{watch_.mutex_};
    watch_.waits_.erase(wait_);
}

int AnswerWatch::hang_up_unanswered(Clock::time_point now) {
    const std::lock_guard lock{mutex_};
    const auto is_overdue = [&](const Wait& wait) { return now - wait.since >= patience_; };
    const bool is_silent = std::any_of(waits_.begin(), waits_.end(), [&](const Wait& wait) {
        return wait.statement == Statement::heartbeat && is_overdue(wait);
    });
    int hung_up = 0;
    for (auto& wait : waits_) {
        if (!is_silent || wait.hung_up || !is_overdue(wait)) continue;
        wait.session->hang_up();
        wait.hung_up = true;
        ++hung_up;
    }
    return hung_up;
}

}  // namespace millrace::engine
