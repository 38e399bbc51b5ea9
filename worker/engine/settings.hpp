#pragma once
// What a worker process is told about itself. Values only; `options` validates what a person typed.

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace millrace::engine {

struct QueueSettings {
    std::string name;
    std::size_t slots = 10;           // attempts at once: one thread each
    std::size_t max_prefetch = 1000;  // claimed ahead at most, while jobs are very short
};

// Off for connection poolers, through which nobody hears a notification: without a way around them the worker polls
// only.
enum class Listening { on, off };

struct WorkerSettings {
    std::string name;     // for people: shown in millrace.workers
    std::string version;  // of this program
    std::vector<QueueSettings> queues;
    std::chrono::milliseconds lease{std::chrono::seconds{30}};          // how long the server waits for a sign of life
    std::chrono::milliseconds poll_interval{std::chrono::seconds{5}};   // between looks at an idle queue
    std::chrono::milliseconds drain_timeout{std::chrono::seconds{30}};  // for running attempts at shutdown
    std::chrono::milliseconds stop_grace{std::chrono::seconds{5}};      // for attempts that were asked to stop
    Listening listening = Listening::on;
    std::string listen_url;  // where to listen, around a pooler; empty: where the other sessions are opened
};

}  // namespace millrace::engine
