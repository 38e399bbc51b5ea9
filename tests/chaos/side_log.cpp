#include "chaos/side_log.hpp"

#include "storage/translation.hpp"

#include <utility>

namespace millrace::chaos {

SideLog::SideLog(const std::string& conninfo, std::string actor)
    : actor_{std::move(actor)}, session_{conninfo, "chaos log"} {}

void SideLog::write(std::string_view what, const core::Job& job) noexcept {
    const std::lock_guard lock{mutex_};
    storage::execute(session_,
                     "insert into event (actor, what, job, fence, attempt, kind) values ($1, $2, $3, $4, $5, $6)",
                     actor_, std::string{what}, job.id.value, job.fence.value, job.attempt, job.kind);
}

}  // namespace millrace::chaos
