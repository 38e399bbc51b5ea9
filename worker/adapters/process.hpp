#pragma once
// Runs one program to its end: an argument vector, never a shell, under limits of time and output.
//
// The program leads a process group of its own. Whatever ends the run (a limit, a stop, or the program's own exit) ends
// the whole group: SIGTERM first and SIGKILL after a grace, or SIGKILL at once for what an exited leader left behind. A
// descendant that has moved to another group or session escapes; its output does not delay us. Nothing is inherited but
// standard output and error: no other descriptor, no variable, no signal mask; standard input is empty.
//
// A program outlives a worker that is killed: there is nobody left to end it. It dies of SIGPIPE when it next writes.
//
// Thread rule: any number of runs side by side, on any threads. `stop` may be requested from any thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::adapters {

struct Command {
    std::vector<std::string>
        arguments;  // the program first: with a slash a path, else looked up in this process's PATH
    std::vector<std::string> environment;  // NAME=value: all that the program sees
    std::string directory;  // where it starts, and what a relative path of the program refers to; empty: ours
};

struct ProcessLimits {
    enum class Excess { ends_the_run, drops_the_beginning };  // of a stream that is longer than `output`

    std::chrono::milliseconds time{std::chrono::minutes{1}};
    std::chrono::milliseconds grace{std::chrono::seconds{5}};  // from SIGTERM to SIGKILL
    std::size_t output = std::size_t{1024} * 1024;             // bytes kept of each stream
    Excess excess = Excess::ends_the_run;
    std::uint64_t written = 0;  // bytes of a stream, kept or not, beyond which the run is ended; 0: no limit

    // Looked at while the program runs, memory every 100 ms, disk every second or less often when that takes long: the
    // run is ended when more is used. 0: no limit.
    std::uint64_t memory = 0;  // bytes that belong to the processes of the group together
    std::uint64_t disk = 0;    // bytes of the files below disk_directory
    std::filesystem::path disk_directory = {};
};

// Gets what the program writes as it comes; whoever is slow makes the program wait.
using OutputListener = std::function<void(std::string_view bytes)>;

enum class Streams {
    apart,
    together,  // standard error is written to `output`, in the order of writing
};

struct ProcessEnd {
    enum class Reason { exited, killed, timed_out, stopped, too_much_output, too_much_memory, too_much_disk };

    Reason reason = Reason::exited;
    int code = 0;        // the exit status when `exited`, the signal when `killed`
    std::string output;  // bytes as they came
    std::string errors;
    bool is_cut = false;      // a beginning was dropped
    bool was_killed = false;  // it did not end within the grace
    std::chrono::milliseconds took{0};

    [[nodiscard]] bool succeeded() const noexcept { return reason == Reason::exited && code == 0; }
};

// "exited with 3", "was killed by signal 9", "ran out of time", "was asked to stop, and killed when it did not end" …
[[nodiscard]] std::string describe(const ProcessEnd& end);

// Throws std::system_error when the program cannot be started: ENOENT or EACCES for what the command names (or its
// directory), anything else for what this host lacks at the moment.
[[nodiscard]] ProcessEnd run_process(const Command& command, const ProcessLimits& limits, const std::stop_token& stop,
                                     Streams streams = Streams::apart, const OutputListener& listener = {});

}  // namespace millrace::adapters
