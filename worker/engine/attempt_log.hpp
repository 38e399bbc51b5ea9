#pragma once
// Lines about one attempt, each with all that identifies it: job, queue, kind, attempt, worker and, if the producer
// gave one, the id of its trace. Never the payload, nor an error's text, which may quote it: that is in the view
// `jobs`.
//
// Thread rule: any thread.

#include "core/job.hpp"
#include "ops/log.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace millrace::engine {

class AttemptLog {
public:
    AttemptLog(ops::Log& log, std::string worker) : log_{log}, worker_{std::move(worker)} {}

    void write(ops::Level level, std::string_view message, const core::Job& job,
               std::initializer_list<ops::Field> more = {}) const;

private:
    ops::Log& log_;
    const std::string worker_;  // its name
};

// The trace of a W3C traceparent (version-trace-parent-flags); empty when it is none.
[[nodiscard]] std::string_view trace_id(std::string_view traceparent) noexcept;

}  // namespace millrace::engine
