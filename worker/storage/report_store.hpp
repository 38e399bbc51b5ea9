#pragma once
// What a running attempt says of itself: how far it is, and lines of its own log.
//
// Both verbs throw LeaseLost when the fence does not hold the job, ConnectionLost, and Error for what the server
// refuses.
//
// Thread rule: as the Session.

#include "core/job.hpp"
#include "storage/session.hpp"

#include <cstddef>
#include <string>

namespace millrace::storage {

class ReportStore {
public:
    static constexpr std::size_t longest_message = 1000;  // characters
    static constexpr std::size_t longest_line = 2000;     // likewise

    explicit ReportStore(Session& session) : session_{session} {}

    void set_progress(const core::Job& job, int percent, const std::string& message);
    void log_line(const core::Job& job, const std::string& text);

private:
    Session& session_;
};

}  // namespace millrace::storage
