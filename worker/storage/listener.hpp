#pragma once
// Hears that jobs were enqueued. Written on libpq: the wait must end at once when the worker stops, so it polls the
// connection's socket together with an event of our own, and libpqxx has no such wait.
//
// Every notification that has arrived counts, whatever else the connection was doing meanwhile.
//
// Thread rule: one thread at a time; the stop token may be triggered by any.

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::storage {

class Listener {
public:
    // Connected and listening for all `queues` when it returns. Throws ConnectionLost.
    Listener(const std::string& conninfo, const std::vector<std::string>& queues);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // The queues that were notified, each once: what has arrived already, else the first to arrive within `timeout`.
    // Empty when nothing came or `stop` was requested. Throws ConnectionLost.
    [[nodiscard]] std::vector<std::string> wait(const std::stop_token& stop, std::chrono::milliseconds timeout);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace millrace::storage
