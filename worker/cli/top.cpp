#include "cli/top.hpp"

#include "cli/live_terminal.hpp"
#include "cli/top_feed.hpp"
#include "cli/top_picture.hpp"

#include <unistd.h>

#include <array>
#include <ostream>

namespace millrace::cli {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds usual_interval = 2s;
constexpr milliseconds least_interval = 100ms;
constexpr milliseconds longest_interval = 1h;
constexpr milliseconds redraw_interval = 1s;  // so that the age of the data is seen to grow

constexpr std::array flags{
    Flag{"interval", "DURATION", "between looks at the database (2s)"},
    Flag{"once", "", "print what is now, and end; so it does without a terminal"},
    json_flag,
};

milliseconds interval_of(const Arguments& arguments) {
    const auto interval = arguments.duration("interval").value_or(usual_interval);
    if (interval < least_interval || interval > longest_interval) {
        throw UsageError{"--interval: write a duration from 100ms to 1h"};
    }
    return interval;
}

Frame frame_of(const Feed::State& state, milliseconds interval, bool has_colours) {
    Frame frame{.screen = Screen::of(STDOUT_FILENO, has_colours), .height = LiveTerminal::height()};
    const auto age = Snapshot::Clock::now() - state.snapshot->asked_at;
    frame.age_seconds = std::chrono::duration<double>{age}.count();
    frame.is_late = age > 3 * interval + redraw_interval;
    frame.problem = state.problem;
    return frame;
}

Exit watch(const Invocation& invocation, std::unique_ptr<storage::Session> session, Snapshot first,
           milliseconds interval) {
    LiveTerminal terminal;
    Feed feed{storage::SessionFactory{invocation.options.database_url}, std::move(session), std::move(first), interval,
              [&] { terminal.stir(); }};
    const bool has_colours = invocation.console.out_screen.has_colours;
    do {
        const auto state = feed.now();
        terminal.draw(picture_of(*state.snapshot, frame_of(state, interval, has_colours)));
    } while (terminal.wait(redraw_interval) != LiveTerminal::Event::quit);
    terminal.leave();
    // A connection that is being made cannot be hung up, and nobody wants to wait for it.
    if (feed.now().is_connecting) _exit(static_cast<int>(Exit::done));
    return Exit::done;
}

Exit run(const Invocation& invocation) {
    const auto& arguments = invocation.arguments;
    if (!arguments.words().empty()) throw UsageError{"top takes no words"};
    const auto interval = interval_of(arguments);
    const storage::SessionFactory sessions{invocation.options.database_url};
    auto session = sessions.open("top");
    auto snapshot = take_snapshot(*session, nullptr);
    auto& console = invocation.console;
    if (arguments.has("json")) {
        print_json(console.out, snapshot);
    } else if (arguments.has("once") || !console.out_screen.is_terminal) {
        console.out << picture_of(snapshot, {.screen = console.out_screen});
    } else {
        return watch(invocation, std::move(session), std::move(snapshot), interval);
    }
    return Exit::done;
}

}  // namespace

Command top_command() {
    return {.name = "top",
            .summary = "queues, what runs, workers and alarms, live; q quits",
            .usage = "millrace top [--interval D] [--once] [--json]",
            .details =
                "The head says how old the data is, and why, when the database is slow or away: it goes on asking.\n"
                "Alarms are what the doctor finds, looked for every 10 s. Of what the terminal has no room for the\n"
                "number is shown. Without a terminal, and with --json, it prints what is now, and ends.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
