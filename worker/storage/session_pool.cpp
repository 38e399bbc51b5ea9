#include "storage/session_pool.hpp"

#include <poll.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <iterator>

namespace millrace::storage {
namespace {

// Between two statements: not when either side has ended the connection, or the server has said something unasked,
// which is how it takes leave. A host that vanished without a word shows after some 20 s: see conninfo.cpp.
bool is_usable(Session& session) {
    const auto& connection = session.connection();
    if (!connection.is_open()) return false;
    pollfd socket{connection.sock(), POLLIN, 0};  // an end or an error shows in any case
    return ::poll(&socket, 1, 0) == 0;
}

}  // namespace

SessionPool::SessionPool(SessionFactory sessions, Limits limits) : sessions_{std::move(sessions)}, limits_{limits} {
    idle_.reserve(limits_.most_idle + 1);  // taking back never fails
}

SessionPool::Lent SessionPool::lend(const std::string& purpose) {
    auto session = idle_session(purpose);
    if (!session) session = sessions_.open(purpose);
    return {*this, purpose, std::move(session)};
}

// The one that was used last: the others may then stay idle for long enough to be closed.
std::unique_ptr<Session> SessionPool::idle_session(const std::string& purpose) {
    std::vector<Idle> over;  // closed after the lock is released
    const auto used_since = Clock::now() - limits_.longest_idle;
    const std::lock_guard lock{mutex_};
    const auto kept = std::stable_partition(idle_.begin(), idle_.end(), [&](const Idle& idle) {
        return idle.since > used_since && is_usable(*idle.session);
    });
    std::move(kept, idle_.end(), std::back_inserter(over));
    idle_.erase(kept, idle_.end());
    const auto found =
        std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& idle) { return idle.purpose == purpose; });
    if (found == idle_.rend()) return nullptr;
    auto session = std::move(found->session);
    idle_.erase(std::next(found).base());
    return session;
}

void SessionPool::take_back(std::string purpose, std::unique_ptr<Session> session) noexcept {
    std::unique_ptr<Session> over;  // closed after the lock is released
    const std::lock_guard lock{mutex_};
    idle_.push_back({std::move(purpose), std::move(session), Clock::now()});
    if (idle_.size() <= limits_.most_idle) return;
    over = std::move(idle_.front().session);
    idle_.erase(idle_.begin());
}

SessionPool::Lent::~Lent() {
    if (std::uncaught_exceptions() > exceptions_) return;  // it is closed
    pool_.take_back(std::move(purpose_), std::move(session_));
}

}  // namespace millrace::storage
