#pragma once
// A snapshot as a person sees it: queues, what runs, workers and alarms, as much of each as there is room for.
//
// Pure. Thread rule: any thread.

#include "cli/console.hpp"
#include "cli/top_feed.hpp"

#include <cstddef>
#include <iosfwd>
#include <string>

namespace millrace::cli {

struct Frame {
    Screen screen;
    std::size_t height = 0;    // in lines; 0: without limit, and without a head
    double age_seconds = 0;    // of the snapshot
    bool is_late = false;      // older than it should be
    std::string problem = {};  // why it is
};

// Lines, each of which ends with a line feed, and no more than fit.
[[nodiscard]] std::string picture_of(const Snapshot& snapshot, const Frame& frame);

// {"queues": […], "running": […], "workers": […], "alarms": […]}
void print_json(std::ostream& out, const Snapshot& snapshot);

}  // namespace millrace::cli
