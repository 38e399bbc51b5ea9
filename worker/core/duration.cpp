#include "core/duration.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace millrace::core {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
};

constexpr std::array<Unit, 5> units{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"min", 60'000}, Unit{"s", 1'000},
                                    Unit{"ms", 1}};

constexpr std::int64_t longest = 100'000 * units.front().milliseconds;

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    std::int64_t amount = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, amount);
    if (failure != std::errc{} || amount < 0) return std::nullopt;
    const std::string_view name{rest, static_cast<std::size_t>(end - rest)};
    for (const auto& unit : units) {
        if (unit.name != name) continue;
        if (amount > longest / unit.milliseconds) return std::nullopt;
        return std::chrono::milliseconds{amount * unit.milliseconds};
    }
    return std::nullopt;
}

std::string format_duration(std::chrono::milliseconds duration) {
    const auto amount = static_cast<std::int64_t>(duration.count());
    if (amount == 0) return "0s";
    for (const auto& unit : units) {
        if (amount % unit.milliseconds == 0) return std::to_string(amount / unit.milliseconds) + std::string{unit.name};
    }
    return std::to_string(amount) + "ms";
}

std::string rough_age(double seconds) {
    if (seconds < 1) return fmt::format("{} ms", std::lround(std::fmax(0, seconds) * 1000));
    if (seconds < 120) return fmt::format("{} s", std::lround(seconds));
    if (seconds < 2 * 3600) return fmt::format("{} min", std::lround(seconds / 60));
    if (seconds < 2 * 86400) return fmt::format("{} h", std::lround(seconds / 3600));
    return fmt::format("{} d", std::lround(seconds / 86400));
}

}  // namespace millrace::core
