#pragma once
// What a claim hands to a worker, and what an outcome may ask to be enqueued next. Values, no behaviour.

#include "core/ids.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace millrace::core {

// One attempt at one job. The payload is the JSON text as stored: a handler that needs none pays for no parsing.
struct Job {
    JobId id;
    Fence fence;
    std::string queue;
    std::string kind;
    int priority = 5;         // 0 first … 9 last
    int attempt = 1;          // counts from 1
    int max_attempts = 1;     // the attempt that is the last
    std::string payload;      // JSON text
    std::string traceparent;  // W3C trace context to pass on, empty when the producer gave none
    std::optional<std::chrono::milliseconds> timeout;
    std::optional<std::chrono::microseconds> age;  // since it was enqueued, when it was claimed
};

// A job to be enqueued in the transaction that settles its predecessor, and only if that settle is accepted.
struct NewJob {
    std::string queue;
    std::string kind;
    std::string payload = "{}";  // JSON text
    int priority = 5;
    std::chrono::milliseconds delay{0};
    std::string traceparent = {};  // empty: that of the attempt which asks for it
};

}  // namespace millrace::core
