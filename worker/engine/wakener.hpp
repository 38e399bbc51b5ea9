#pragma once
// Listens for all queues and rings the bell of the one that was notified. Requests to stop, and what concerns the
// chores, it passes on.
//
// While it was not listening, notifications were lost. So whenever it begins to listen, at the start and after every
// loss of the connection, all bells ring: every claimer claims, requests to stop are asked for, and all chores are due.
//
// Thread rule: owns one thread and one connection; `await_listening` by any thread.

#include "core/ids.hpp"
#include "engine/backoff.hpp"
#include "engine/bell.hpp"
#include "engine/stats.hpp"
#include "ops/log.hpp"
#include "storage/listener.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::engine {

class Wakener {
public:
    using Bells = std::map<std::string, Bell*>;  // by queue

    // Of one session, or of whatever sessions there are.
    using OnCancelling = std::function<void(std::optional<core::WorkerId>)>;
    using OnChore = std::function<void(storage::Announcement::News)>;  // scheduled, schedules or schemas

    Wakener(std::string conninfo, Bells bells, OnCancelling on_cancelling, OnChore on_chore, Stats& stats,
            ops::Log& log);

    void run(const std::stop_token& stop);

    // Until it listens for the first time, `patience` runs out, or stop is requested.
    void await_listening(const std::stop_token& stop, std::chrono::milliseconds patience);

private:
    void listen(const std::stop_token& stop);

    const std::string conninfo_;
    const Bells bells_;
    const OnCancelling on_cancelling_;
    const OnChore on_chore_;
    Stats& stats_;
    ops::Log& log_;
    Backoff backoff_;

    std::mutex mutex_;  // protects listening_
    std::condition_variable_any changed_;
    bool listening_ = false;
};

}  // namespace millrace::engine
