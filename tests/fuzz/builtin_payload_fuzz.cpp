// The payloads of the kinds `wait` and `fail`: JSON from any producer.
//
// Property: whatever the payload, the attempt ends, and not as completed: `wait` has been asked to stop before it
// began. Only a duration that the documentation allows is waited for, and every error has a text.

#include "fuzz/input.hpp"
#include "fuzz/json_reader.hpp"
#include "handlers/builtin/fail.hpp"
#include "handlers/builtin/wait.hpp"

#include <algorithm>

namespace millrace::fuzz {
namespace {

// JSON knows a zero below zero, PostgreSQL's jsonb does not: it never gets here.
bool is_negative_zero(std::string_view payload) {
    return json_member(payload, "ms") == "0" && payload.find("-0") != payload.npos;
}

bool asks_to_wait(std::string_view payload) {
    if (json_member(payload, "until_stopped") == "true") return true;
    const auto ms = json_member(payload, "ms");
    if (!ms || ms->find_first_not_of("0123456789") != ms->npos) return false;
    return ms->size() < 8 || (ms->size() == 8 && *ms <= "86400000");
}

}  // namespace

void try_input(std::string_view bytes) {
    if (is_negative_zero(bytes)) return;
    core::Job job;
    job.payload = bytes;
    std::stop_source stop;
    stop.request_stop();

    const auto waited = handlers::builtin::Wait{}.run(job, stop.get_token());
    if (asks_to_wait(bytes)) {
        require(std::holds_alternative<core::Failed>(waited), "a wait that was stopped has failed");
    } else {
        require(std::holds_alternative<core::Discarded>(waited), "what cannot be waited for is discarded");
    }

    const auto failed = handlers::builtin::Fail{}.run(job, stop.get_token());
    const auto* failure = std::get_if<core::Failed>(&failed);
    require(failure != nullptr && !failure->error.empty(), "fail fails with a text");
    const auto asked = json_string(bytes, "error").value_or("");
    if (!asked.empty()) require(failure->error == asked, "fail fails as asked", failure->error);
}

}  // namespace millrace::fuzz
