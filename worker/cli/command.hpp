#pragma once
// What a subcommand is: the words that help shows, and what runs. Each has a file pair of its own beside this one.

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "options.hpp"

#include <functional>
#include <span>
#include <string_view>

namespace millrace::cli {

enum class Exit : int {
    done = 0,
    failed = 1,
    usage = 2,    // the command line or a setting makes no sense; nothing was tried
    nothing = 3,  // nothing matched

    // Of `pipeline gate`, which ends with done for a commit that is green.
    broken = 10,
    no_verdict = 11,
    flaky = 12,
};

struct Invocation;

struct Command {
    std::string_view name;
    std::string_view summary;     // one line
    std::string_view usage;       // its forms, one a line
    std::string_view details;     // what one must know, in lines of at most 100 columns
    std::span<const Flag> flags;  // of static storage
    Exit (*run)(const Invocation& invocation);
    Exit failure = Exit::failed;  // what it ends with when it could not do its work
};

struct Invocation {
    const Options& options;
    const Arguments& arguments;
    Console& console;
    std::span<const Command> commands;  // all there are
    // The settings once more, from the same command line and environment and the file that these name. Throws
    // OptionError.
    std::function<Options()> read_again;
};

inline constexpr Flag json_flag{"json", "", "print JSON, for programs"};

}  // namespace millrace::cli
