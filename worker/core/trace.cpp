#include "core/trace.hpp"

#include <algorithm>
#include <cstddef>

namespace millrace::core {
namespace {

// version-trace-parent-flags, of a fixed width
constexpr std::size_t trace_at = 3;
constexpr std::size_t trace_size = 32;
constexpr std::size_t span_at = trace_at + trace_size + 1;
constexpr std::size_t span_size = 16;
constexpr std::size_t flags_at = span_at + span_size + 1;
constexpr std::size_t whole_size = flags_at + 2;

bool is_hex(char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
}

bool is_id(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_hex) && text.find_first_not_of('0') != text.npos;
}

constexpr int sampled_flag = 1;
constexpr int random_flag = 2;

int low_half(char letter) {
    return letter <= '9' ? letter - '0' : letter - 'a' + 10;
}

}  // namespace

std::optional<TraceContext> sampled_context(std::string_view text) {
    const auto is_longer = text.size() > whole_size && text.substr(0, 2) != "00" && text[whole_size] == '-';
    if (text.size() != whole_size && !is_longer) return std::nullopt;  // a later version may say more
    const auto version = text.substr(0, 2);
    const auto flags = text.substr(flags_at, 2);
    const auto trace = text.substr(trace_at, trace_size);
    const auto span = text.substr(span_at, span_size);
    const bool is_whole = text[trace_at - 1] == '-' && text[span_at - 1] == '-' && text[flags_at - 1] == '-';
    const bool is_fit = std::all_of(version.begin(), version.end(), is_hex) && version != "ff" &&
                        std::all_of(flags.begin(), flags.end(), is_hex) && is_id(trace) && is_id(span);
    if (!is_whole || !is_fit || (low_half(flags[1]) & sampled_flag) == 0) return std::nullopt;
    const bool is_random = (low_half(flags[1]) & random_flag) != 0;
    return TraceContext{std::string{trace}, std::string{span}, is_random ? "03" : "01"};
}

std::string traceparent_of(const TraceContext& context) {
    return "00-" + context.trace + "-" + context.span + "-" + context.flags;
}

}  // namespace millrace::core
