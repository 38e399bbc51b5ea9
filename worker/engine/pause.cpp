#include "engine/pause.hpp"

#include <condition_variable>
#include <mutex>

namespace millrace::engine {

void pause(const std::stop_token& stop, std::chrono::milliseconds duration) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock{mutex};
    stopped.wait_for(lock, stop, duration, [] { return false; });
}

}  // namespace millrace::engine
