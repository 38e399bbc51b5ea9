// Durations as people write them: in the settings file, in variables, behind flags.
//
// Property: what is accepted lies within the limits, and is the same when it is written out and read again.

#include "core/duration.hpp"
#include "fuzz/input.hpp"

namespace millrace::fuzz {

void try_input(std::string_view bytes) {
    constexpr std::chrono::hours longest{24 * 100'000};
    const auto duration = core::parse_duration(bytes);
    if (!duration) return;
    require(duration->count() >= 0 && *duration <= longest, "a duration has limits");
    const auto written = core::format_duration(*duration);
    require(core::parse_duration(written) == duration, "what is written out is read as the same", written);
}

}  // namespace millrace::fuzz
