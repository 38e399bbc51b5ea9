#include "cli/program.hpp"

#include "cli/guess.hpp"
#include "cli/help.hpp"
#include "cli/manual.hpp"
#include "storage/error.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <utility>

namespace millrace::cli {

namespace {

const Command& find_command(std::span<const Command> commands, const std::string& name,
                            std::vector<std::string> names = {"help"}) {
    for (const auto& command : commands)
        names.emplace_back(command.name);
    require_known("command", name, names);
    return *std::find_if(commands.begin(), commands.end(),
                         [&](const Command& command) { return command.name == name; });
}

Exit give_help(const Options& options, std::span<const Command> commands, const Console& console) {
    const auto& topic = options.arguments.empty() ? options.command : options.arguments.front();
    const bool is_about_help = options.command.empty() || topic == "help";
    if (is_about_help) {
        print_overview(console.out, console.out_screen, commands);
    } else if (options.command == "help" && topic == "settings") {
        print_settings(console.out, console.out_screen);
    } else if (options.command == "help" && topic == "man") {
        print_manual(console.out, commands);
    } else if (options.command == "help") {
        print_command(console.out, console.out_screen, find_command(commands, topic, {"settings", "man"}));
    } else {
        print_command(console.out, console.out_screen, find_command(commands, options.command));
    }
    return Exit::done;
}

Exit run_command(const Options& options, std::span<const Command> commands, Console& console,
                 std::function<Options()> read_again) {
    if (options.wants_version) {
        print_version(console.out);
        return Exit::done;
    }
    if (options.wants_help || options.command == "help") return give_help(options, commands, console);
    if (options.command.empty()) {
        print_overview(console.err, console.err_screen, commands);
        return Exit::usage;
    }
    const auto& command = find_command(commands, options.command);
    const Arguments arguments{options.arguments, command.flags, setting_flags(command.name)};
    return command.run({options, arguments, console, commands, std::move(read_again)});
}

// For a problem that says itself nothing of its remedy.
std::string help_on(std::span<const Command> commands, const std::string& name) {
    const bool is_known =
        std::any_of(commands.begin(), commands.end(), [&](const Command& command) { return command.name == name; });
    return is_known ? "millrace help " + name : "millrace help";
}

Exit failure_of(std::span<const Command> commands, const std::string& name) {
    const auto found =
        std::find_if(commands.begin(), commands.end(), [&](const Command& command) { return command.name == name; });
    return found == commands.end() ? Exit::failed : found->failure;
}

Exit complain(const Console& console, Exit status, std::string_view problem, std::string_view remedy) {
    console.out.flush();
    console.complain(problem, remedy);
    return status;
}

}  // namespace

Exit run_program(std::span<const std::string> words, const Environment& environment,
                 std::span<const Command> commands) {
    const auto no_color = environment.find("NO_COLOR");
    const bool allows_colours = no_color == environment.end() || no_color->second.empty();
    Console console{.in = std::cin,
                    .out = std::cout,
                    .err = std::cerr,
                    .out_screen = Screen::of(STDOUT_FILENO, allows_colours),
                    .err_screen = Screen::of(STDERR_FILENO, allows_colours)};
    Options options;
    const auto fail = [&](std::string_view problem, std::string_view remedy) {
        return complain(console, failure_of(commands, options.command), problem, remedy);
    };
    try {
        options = read_options(words, environment);
        const auto status = run_command(options, commands, console, [&] { return read_options(words, environment); });
        console.out.flush();
        if (console.out) return status;
        return fail("cannot write to standard output", "Is the disk full?");
    } catch (const OptionError& error) {
        return complain(console, Exit::usage, error.what(), "");
    } catch (const UsageError& error) {
        return complain(console, Exit::usage, error.what(), help_on(commands, options.command));
    } catch (const storage::ConnectionLost& error) {
        return fail(fmt::format("no connection to the database: {}", error.what()),
                    "Is it running? It is found by --database-url or PGHOST, PGPORT, PGDATABASE, PGUSER.");
    } catch (const storage::Error& error) {
        const bool has_no_schema = error.sqlstate() == "3F000" || error.sqlstate() == "42P01";
        const auto guess = guess_for(error, options);
        const auto hint = guess.empty() ? error.hint() : guess;
        const auto remedy = hint.empty() ? help_on(commands, options.command) : hint;
        return fail(error.what(),
                    has_no_schema ? "If millrace is not installed in this database: millrace migrate up" : remedy);
    } catch (const std::exception& error) {
        return fail(error.what(), "");
    }
}

}  // namespace millrace::cli
