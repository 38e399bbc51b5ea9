#include "cli/reload.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <utility>

namespace millrace::cli {

Reload::Reload(const Invocation& invocation, Reader reader, ops::Log& log, Check check)
    : read_{invocation.read_again}, reader_{reader}, log_{log}, check_{std::move(check)}, now_{invocation.options} {}

Reload::Use::Use(Reload& reload, TakeOver take_over) : reload_{reload}, take_over_{std::move(take_over)} {
    const std::lock_guard lock{reload_.mutex_};
    take_over_(reload_.now_);
    reload_.users_.push_back(this);
}

Reload::Use::~Use() {
    const std::lock_guard lock{reload_.mutex_};
    std::erase(reload_.users_, this);
}

void Reload::read_again() {
    try {
        const auto next = read_();
        check_(next);
        take_over(next);
    } catch (const std::exception& error) {
        log_.write(ops::Level::error, "settings not reloaded, all stay as they were", {{"reason", error.what()}});
    }
}

void Reload::take_over(const Options& next) {
    const std::lock_guard lock{mutex_};
    auto changed = now_;
    const auto [taken, kept] = cli::take_over(changed, next, reader_);
    for (const auto* user : users_)
        user->take_over_(changed);
    now_ = std::move(changed);

    log_.set_least(std::min(log_.least(), now_.log_level));  // what changes it is worth a line by either
    const auto names = taken.empty() ? std::string{"none"} : fmt::format("{}", fmt::join(taken, ", "));
    log_.write(ops::Level::info, "settings reloaded", {{"changed", names}});
    if (!kept.empty()) {
        log_.write(ops::Level::warning, "settings have changed that need a restart",
                   {{"settings", fmt::format("{}", fmt::join(kept, ", "))}});
    }
    log_.set_least(now_.log_level);
}

std::optional<int> Reload::wait_for_end(Signals& signals, ops::Supervisor& supervisor) {
    auto number = signals.wait();
    for (; number == SIGHUP; number = signals.wait()) {
        const ops::Reloading reloading{supervisor};
        read_again();
    }
    return number;
}

}  // namespace millrace::cli
