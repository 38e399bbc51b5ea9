#pragma once
// Tells whoever has started this process and looks after it, mostly systemd, how it is. The protocol is that of
// sd_notify(3), a datagram to a socket of this host:
//
//     READY=1      it can work
//     RELOADING=1  it reads its settings again, until the next READY=1
//     STOPPING=1   it was asked to stop
//     WATCHDOG=1   it is alive; when none has come for the watchdog's time, this process is ended, and another started
//
// Nobody is told anything when there is no socket. Whoever stops is not ready any more: after STOPPING=1 there is no
// READY=1, though the worker may have got its session just then.
//
// Thread rule: any thread.

#include "ops/log.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace millrace::ops {

// What the supervisor wants, in its own words NOTIFY_SOCKET and WATCHDOG_USEC.
struct Supervision {
    std::string socket;                     // a path, or @ and an abstract name; empty: there is no supervisor
    std::chrono::microseconds watchdog{0};  // 0: it does not ask for signs of life
};

class Supervisor {
public:
    Supervisor(Supervision supervision, Log& log);
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    [[nodiscard]] bool is_there() const noexcept { return socket_ >= 0; }
    [[nodiscard]] std::chrono::microseconds watchdog() const noexcept { return supervision_.watchdog; }

    // False when it could not be sent; never waits. The first failure is logged.
    bool tell_ready();      // false, too, once it has been told of stopping
    bool tell_reloading();  // false, too, while it has not been told of being ready: the end of a reload says that
    bool tell_stopping();
    bool tell_alive() { return tell("WATCHDOG=1"); }

private:
    bool tell(std::string_view message);

    const Supervision supervision_;
    Log& log_;
    int socket_ = -1;
    std::atomic<bool> has_complained_{false};
    std::mutex order_;  // of what is told of the process's state
    bool is_told_ready_ = false;
    bool is_told_stopping_ = false;
};

// While this lives, the supervisor knows that settings are read again.
class Reloading {
public:
    explicit Reloading(Supervisor& supervisor) : supervisor_{supervisor}, is_told_{supervisor.tell_reloading()} {}
    ~Reloading() {
        if (is_told_) supervisor_.tell_ready();
    }
    Reloading(const Reloading&) = delete;
    Reloading& operator=(const Reloading&) = delete;

private:
    Supervisor& supervisor_;
    const bool is_told_;
};

// Looks at a worker or a server while it works, on behalf of its supervisor: tells that it is ready as soon as it is,
// and from then on, twice in the watchdog's time, that it is alive, if it is.
//
// Thread rule: owns one thread, which calls `look`; none when there is nobody to be told.
class Watching {
public:
    struct State {
        bool is_ready = false;
        bool is_alive = false;
    };
    static constexpr std::chrono::milliseconds look_every{100};  // until it is ready

    // `look` and the supervisor outlive it.
    Watching(Supervisor& supervisor, std::function<State()> look);

private:
    void run(const std::stop_token& stop);

    Supervisor& supervisor_;
    const std::function<State()> look_;
    std::jthread thread_;  // last: uses the others
};

}  // namespace millrace::ops
