#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace millrace::cli {

namespace {

constexpr std::chrono::milliseconds redraw_interval{100};
constexpr std::size_t bar_width = 30;
constexpr std::string_view clear_line = "\r\x1b[K";

std::string bar(double share) {
    const auto full = std::min(bar_width, static_cast<std::size_t>(share * bar_width));
    std::string cells;
    for (std::size_t at = 0; at < bar_width; ++at)
        cells += at < full ? "█" : "░";
    return fmt::format("{} {:3.0f} %  ", cells, share * 100);
}

}  // namespace

StatusLine::~StatusLine() {
    if (drawn_ != Clock::time_point{}) console_.err << clear_line << std::flush;
}

bool StatusLine::is_due() const {
    return console_.err_screen.is_terminal && Clock::now() - drawn_ >= redraw_interval;
}

void StatusLine::show(std::string_view line) {
    if (!is_due()) return;
    drawn_ = Clock::now();
    const auto room = console_.err_screen.width > 0 ? console_.err_screen.width - 1 : line.size();
    console_.err << clear_line << cut(line, room) << std::flush;
}

Progress::Progress(Console& console, std::string_view what, std::uint64_t total)
    : line_{console}, what_{what}, total_{total} {}

void Progress::show(std::uint64_t done, std::uint64_t things) {
    if (!line_.is_due()) return;
    const std::chrono::duration<double> elapsed = Clock::now() - started_;
    const auto rate = static_cast<std::uint64_t>(static_cast<double>(things) / std::max(elapsed.count(), 0.001));
    const auto share =
        total_ == 0 ? std::string{} : bar(std::min(1.0, static_cast<double>(done) / static_cast<double>(total_)));
    line_.show(fmt::format("{}{} {}, {} a second", share, grouped(things), what_, grouped(rate)));
}

}  // namespace millrace::cli
