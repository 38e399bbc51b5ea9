#include "cli/pipeline_log.hpp"

#include "engine/pause.hpp"
#include "storage/command_logs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace millrace::cli {

namespace {

using storage::pipeline::CommandLogs;
using storage::pipeline::LoggedRun;
using storage::pipeline::LoggedText;

constexpr std::chrono::milliseconds between_looks{300};

struct Order {
    std::string build;
    std::optional<std::string> queue;
    bool follows = false;
};

Order order_of(const Invocation& invocation) {
    Order order;
    order.queue = invocation.arguments.value("queue");
    order.follows = invocation.arguments.has("follow");
    const auto& words = invocation.arguments.words();
    for (auto word = words.begin() + 1; word != words.end(); ++word) {
        if (*word == "-f") {
            order.follows = true;
        } else if (order.build.empty() && !word->empty()) {
            order.build = *word;
        } else {
            throw UsageError{"pipeline log takes one build"};
        }
    }
    if (order.build.empty()) throw UsageError{"pipeline log needs a build, like command/7; pipeline.builds lists them"};
    return order;
}

// The run that is meant; nothing when it was complained about.
std::optional<LoggedRun> find(const Console& console, CommandLogs& logs, const Order& order) {
    const auto runs = logs.runs(order.build, order.queue);
    if (runs.empty()) {
        console.complain(fmt::format("there is no build \"{}\" of the runner `command`", harmless(order.build)),
                         "The view pipeline.builds lists them; another runner keeps its own logs.");
        return std::nullopt;
    }
    if (runs.size() > 1) {
        std::vector<std::string> queues;
        queues.reserve(runs.size());
        for (const auto& run : runs)
            queues.push_back(run.build.queue);
        throw UsageError{fmt::format("{} pipeline queues have a build {}: say --queue with one of {}", runs.size(),
                                     order.build, fmt::join(queues, ", "))};
    }
    return runs.front();
}

// Lines stay, a carriage return begins one, and what could steer a terminal does not get there.
void print(std::ostream& out, std::string text) {
    std::replace(text.begin(), text.end(), '\r', '\n');
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        out << harmless(std::string_view{text}.substr(begin, end - begin));
        if (end < text.size()) out << '\n';
        begin = end + 1;
    }
}

void print_new(const Invocation& invocation, CommandLogs& logs, const LoggedRun& run, std::optional<LoggedText>& last) {
    for (auto texts = logs.read(run.build, last); !texts.empty(); texts = logs.read(run.build, last)) {
        for (auto& each : texts) {
            if (last && last->attempt != each.attempt) {
                invocation.console.err << fmt::format("the worker was lost or stopped; attempt {}:\n", each.attempt);
            }
            print(invocation.console.out, each.text.text);
            last = std::move(each);
        }
        invocation.console.out << std::flush;
    }
}

}  // namespace

Exit pipeline_log(const Invocation& invocation) {
    const auto order = order_of(invocation);
    const auto session = storage::SessionFactory{invocation.options.database_url}.open("pipeline log");
    CommandLogs logs{*session};
    auto run = find(invocation.console, logs, order);
    if (!run) return Exit::nothing;
    std::optional<LoggedText> last;
    print_new(invocation, logs, *run, last);
    while (order.follows && !is_terminal(run->status)) {
        engine::pause({}, between_looks);
        // In this order: what was written before the end is there when the end is.
        run = find(invocation.console, logs, order);
        if (!run) return Exit::nothing;
        print_new(invocation, logs, *run, last);
    }
    if (run->is_log_gone) {
        invocation.console.complain("the log is gone: it was kept for 30 days after the build", run->reason);
        return Exit::nothing;
    }
    if (is_terminal(run->status)) invocation.console.err << harmless(run->reason) << '\n';
    return Exit::done;
}

}  // namespace millrace::cli
