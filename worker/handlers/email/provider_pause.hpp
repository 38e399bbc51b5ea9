#pragma once
// Remembers that the mail server is of no use at the moment, so that not every waiting mail has to find out.
//
// The pause grows from five seconds to five minutes while the server stays down, and is over with the first sign
// that it serves us. It grows once per round of tries, however many were under way together: a try that began
// before the pause knew nothing of it, and its failure is no news.
//
// The mails that wait are spread over a fifth of the pause, so that they do not all return at one moment.
//
// Thread rule: any thread.

#include "core/guarded.hpp"

#include <chrono>
#include <random>

namespace millrace::handlers::email {

class ProviderPause {
public:
    using Clock = std::chrono::steady_clock;
    using Duration = std::chrono::milliseconds;

    struct Limits {
        Duration first{std::chrono::seconds{5}};
        Duration longest{std::chrono::minutes{5}};
    };
    enum class State { serving, paused };

    explicit ProviderPause(Limits limits) : limits_{limits} {}

    // How long a mail should wait at `now`; zero when it may be tried.
    [[nodiscard]] Duration remaining(Clock::time_point now);

    // A try that began at `began` found at `now` that the server does not serve us. How long its mail should wait.
    [[nodiscard]] Duration extend(Clock::time_point began, Clock::time_point now);

    // The server serves us. What was believed before.
    State lift();

private:
    struct Pause {
        Duration step{0};  // zero: serving
        Clock::time_point declared;
        Clock::time_point until;
        std::minstd_rand random{std::random_device{}()};
    };

    const Limits limits_;
    core::Guarded<Pause> pause_;
};

}  // namespace millrace::handlers::email
