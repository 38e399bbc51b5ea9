#pragma once
// The settings of a process that stays, as they are in force, and SIGHUP, at which they are read again.
//
//     something in them is wrong          → all stays as it was; one error says what
//     what can change has changed         → those who work by it take it over, and it is named
//     what needs a restart has changed    → it stays as it was, and is named in one warning, at each SIGHUP anew
//
// Nothing that runs is disturbed, and no lease depends on it.
//
// Thread rule: one thread reloads and waits; any thread may use.

#include "cli/command.hpp"
#include "cli/setting_changes.hpp"
#include "cli/signals.hpp"
#include "ops/log.hpp"
#include "ops/supervisor.hpp"

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace millrace::cli {

class Reload {
public:
    // Throws, with the remedy, when a process cannot work with these settings.
    using Check = std::function<void(const Options&)>;
    // Takes over what has changed; most calls change nothing.
    using TakeOver = std::function<void(const Options&)>;

    // The references outlive it.
    Reload(const Invocation& invocation, Reader reader, ops::Log& log, Check check);
    Reload(const Reload&) = delete;
    Reload& operator=(const Reload&) = delete;

    // One of those who work by the settings: is told at once of those in force, and, while this lives, of changes.
    class Use {
    public:
        Use(Reload& reload, TakeOver take_over);
        ~Use();  // when it returns, nobody is told any more
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

    private:
        friend class Reload;
        Reload& reload_;
        const TakeOver take_over_;
    };

    void read_again();

    // Like Signals::wait, but that each SIGHUP meanwhile is a reload.
    [[nodiscard]] std::optional<int> wait_for_end(Signals& signals, ops::Supervisor& supervisor);

private:
    void take_over(const Options& next);

    const std::function<Options()> read_;
    const Reader reader_;
    ops::Log& log_;
    const Check check_;

    std::mutex mutex_;  // protects all below; held while somebody takes over
    Options now_;
    std::vector<const Use*> users_;
};

}  // namespace millrace::cli
