// Names of queues, on their way to /metrics, and reasons on theirs to /readyz. Unit separators (0x1f) stand between
// them.
//
// Property: whatever they hold, the metrics are in Prometheus' text format, one sample a line, and a scraper reads the
// same names; readiness is JSON.

#include "engine/worker.hpp"
#include "fuzz/input.hpp"
#include "fuzz/json_reader.hpp"
#include "ops/metrics.hpp"
#include "ops/readiness.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

// No worker is shown, so that it is never asked; its parts would bring the whole engine along.
namespace millrace::engine {
Worker::Condition Worker::condition() const {
    std::abort();
}
const Stats& Worker::stats() const noexcept {
    std::abort();
}
}  // namespace millrace::engine

namespace millrace::fuzz {
namespace {

// A label's value between its quotation marks, by the escapes of the text format; takes it off the front.
std::string take_value(std::string_view& text) {
    std::string value;
    require(text.starts_with('"'), "a label's value is quoted", text);
    text.remove_prefix(1);
    while (!text.starts_with('"')) {
        require(!text.empty(), "a quotation ends on its line");
        if (text.starts_with('\\')) {
            text.remove_prefix(1);
            require(text.starts_with('\\') || text.starts_with('"') || text.starts_with('n'), "an escape is known",
                    text);
            value += text.front() == 'n' ? '\n' : text.front();
        } else {
            value += text.front();
        }
        text.remove_prefix(1);
    }
    text.remove_prefix(1);
    return value;
}

// One sample: name{label="value",…} number. Gives the queue it is about, if any.
std::string queue_of(std::string_view line) {
    const auto name = line.substr(0, line.find_first_of("{ "));
    require(name.starts_with("millrace_") && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == name.npos,
            "a sample bears a name of ours", line);
    line.remove_prefix(name.size());
    std::string queue;
    while (line.starts_with('{') || line.starts_with(',')) {
        line.remove_prefix(1);
        const auto label = line.substr(0, line.find('='));
        line.remove_prefix(std::min(label.size() + 1, line.size()));
        const auto value = take_value(line);
        if (label == "queue") queue = value;
        if (line.starts_with('}')) line.remove_prefix(1);
    }
    require(line.starts_with(' ') && line.find_first_not_of(" -+.0123456789einfa") == line.npos,
            "a number stands behind the labels", line);
    return queue;
}

std::vector<std::string> queues_in(const std::string& text) {
    std::vector<std::string> queues;
    require(text.ends_with('\n'), "the last line ends");
    for (const auto line : split(std::string_view{text}.substr(0, text.size() - 1), '\n')) {
        if (line.starts_with("# HELP millrace_") || line.starts_with("# TYPE millrace_")) continue;
        const auto queue = queue_of(line);
        if (line.starts_with("millrace_queue_oldest_age_seconds{")) queues.push_back(queue);
    }
    return queues;
}

}  // namespace

void try_input(std::string_view bytes) {
    ops::DatabaseProbe::Look look;
    std::vector<std::string> names;
    ops::Readiness readiness;
    for (const auto part : split(bytes, '\x1f')) {
        names.emplace_back(part);
        look.queues.push_back({.queue = names.back(), .available = 3, .oldest_age_seconds = 0.5});
        readiness.obstacles.push_back({"database", names.back()});
        readiness.unavailable_kinds.push_back({names.back(), names.back()});
    }
    const auto text = ops::metrics_text({.version = "1.2.3", .worker = nullptr, .database = look});
    require(queues_in(text) == names, "a scraper reads the same names", text);
    require(is_json(ops::json_of(readiness)), "readiness is JSON", ops::json_of(readiness));
}

}  // namespace millrace::fuzz
