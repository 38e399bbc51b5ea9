#pragma once
// A wait that ends early when stop is requested.

#include <chrono>
#include <stop_token>

namespace millrace::engine {

void pause(const std::stop_token& stop, std::chrono::milliseconds duration);

}  // namespace millrace::engine
