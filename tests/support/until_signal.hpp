#pragma once
// What the main of a worker of our own does, in a chaos run or a benchmark: it works until a signal comes, and drains.

#include "cli/signals.hpp"
#include "engine/worker.hpp"
#include "ops/log.hpp"

#include <cstdlib>
#include <exception>
#include <thread>

namespace millrace::testing {

// The exit status. `signals` were made before any thread.
inline int work_until_signal(engine::Worker& worker, cli::Signals& signals, ops::Log& log) {
    bool has_failed = false;
    std::jthread work{[&](const std::stop_token& stop) {
        try {
            if (worker.run(stop) == engine::Worker::Ending::abandoned) std::_Exit(EXIT_FAILURE);
        } catch (const std::exception& error) {
            log.write(ops::Level::error, "the worker gave up", {{"reason", error.what()}});
            has_failed = true;
        }
        signals.finish();
    }};
    if (signals.wait()) work.request_stop();
    work.join();
    return has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace millrace::testing
