#pragma once
// What handlers saw and did, written to a second database on a second server, which no fault touches.
//
// Without it nothing could be proven, so that a line that cannot be written ends the process.
//
// Thread rule: any thread.

#include "core/job.hpp"
#include "storage/session.hpp"

#include <mutex>
#include <string>
#include <string_view>

namespace millrace::chaos {

class SideLog {
public:
    SideLog(const std::string& conninfo, std::string actor);

    // On disk, or at least beyond this process, when it returns.
    void write(std::string_view what, const core::Job& job) noexcept;

private:
    const std::string actor_;
    std::mutex mutex_;  // protects session_
    storage::Session session_;
};

}  // namespace millrace::chaos
