#include "engine/attempt_log.hpp"

#include <algorithm>
#include <vector>

namespace millrace::engine {

void AttemptLog::write(ops::Level level, std::string_view message, const core::Job& job,
                       std::initializer_list<ops::Field> more) const {
    std::vector<ops::Field> fields{
        {"job", job.id.value}, {"queue", job.queue}, {"kind", job.kind}, {"attempt", job.attempt}, {"worker", worker_}};
    if (const auto trace = trace_id(job.traceparent); !trace.empty()) fields.push_back({"trace", trace});
    fields.insert(fields.end(), more.begin(), more.end());
    log_.write(level, message, fields);
}

std::string_view trace_id(std::string_view traceparent) noexcept {
    constexpr std::size_t begin = 3;
    constexpr std::size_t length = 32;
    if (traceparent.size() < begin + length + 1 || traceparent[begin - 1] != '-' ||
        traceparent[begin + length] != '-') {
        return {};
    }
    const auto trace = traceparent.substr(begin, length);
    const auto is_hex = [](char letter) {
        return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
    };
    const bool is_zero = trace.find_first_not_of('0') == std::string_view::npos;  // the specification's "invalid"
    return !is_zero && std::all_of(trace.begin(), trace.end(), is_hex) ? trace : std::string_view{};
}

}  // namespace millrace::engine
