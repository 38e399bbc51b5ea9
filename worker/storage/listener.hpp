#pragma once
// Hears that jobs were enqueued, or are to stop, and that there is something for the chores. Written on libpq: the wait
// must end at once when the worker stops, so it polls the connection's socket together with an event of our own, and
// libpqxx has no such wait.
//
// Every notification that has arrived counts, whatever else the connection was doing meanwhile.
//
// Thread rule: one thread at a time; the stop token may be triggered by any.

#include "core/ids.hpp"

#include <chrono>
#include <compare>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::storage {

struct Announcement {
    enum class News {
        jobs,        // there may be some
        lowered,     // the queue's flag is down: whoever wants to be notified again has to raise it
        cancelling,  // a job of this session is to stop
        scheduled,   // a job becomes due soon
        schedules,   // one has changed
        schemas,     // likewise
    };
    std::string queue;  // of jobs and lowered, else empty
    News news;
    core::WorkerId session{};  // when cancelling

    // NOLINTNEXTLINE(modernize-use-nullptr): as in core/ids.hpp
    friend auto operator<=>(const Announcement&, const Announcement&) = default;
};

class Listener {
public:
    // Connected and listening for all `queues`, and for whatever is to stop, when it returns. Throws ConnectionLost.
    Listener(const std::string& conninfo, const std::vector<std::string>& queues);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // What has arrived already, else the first to arrive within `timeout`; each but once, in order. Empty when nothing
    // came or `stop` was requested. Throws ConnectionLost.
    [[nodiscard]] std::vector<Announcement> wait(const std::stop_token& stop, std::chrono::milliseconds timeout);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace millrace::storage
