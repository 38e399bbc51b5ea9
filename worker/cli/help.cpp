#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace millrace::cli {

namespace {

void print_heading(std::ostream& out, const Screen& screen, std::string_view heading) {
    out << '\n' << screen.toned(heading, Tone::strong) << '\n';
}

void print_indented(std::ostream& out, std::string_view lines) {
    while (!lines.empty()) {
        const auto end = std::min(lines.find('\n'), lines.size());
        out << "  " << lines.substr(0, end) << '\n';
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
}

std::string shown(const Flag& flag) {
    return flag.value.empty() ? fmt::format("--{}", flag.name) : fmt::format("--{} {}", flag.name, flag.value);
}

// The settings that the worker takes as flags without their section.
void print_worker_settings(std::ostream& out, const Screen& screen) {
    print_heading(out, screen, "Settings as flags");
    const auto settings = known_settings();
    const auto flags = setting_flags("worker");
    std::vector<std::string> lefts;
    std::size_t width = 0;
    for (std::size_t at = 0; at < settings.size(); ++at) {
        // `setting_flags` begins with --config, which is no setting.
        lefts.push_back(fmt::format("--{} {}", flags[at + 1], settings[at].value));
        width = std::max(width, lefts.back().size());
    }
    for (std::size_t at = 0; at < settings.size(); ++at) {
        out << fmt::format("  {:<{}}  {}\n", lefts[at], width, settings[at].meaning);
    }
}

}  // namespace

void print_overview(std::ostream& out, const Screen& screen, std::span<const Command> commands) {
    out << "millrace: PostgreSQL tables as job queues\n";
    print_heading(out, screen, "Commands");
    for (const auto& command : commands)
        out << fmt::format("  {:<11}{}\n", command.name, command.summary);
    print_heading(out, screen, "More");
    out << "  millrace help COMMAND     what a command does, and its flags\n"
           "  millrace help settings    what can be set by flag, environment and file\n"
           "  millrace help man         all of it as a manual page\n"
           "  millrace --version\n";
    print_heading(out, screen, "Exit status");
    out << "  0 done   1 failed   2 wrong usage   3 nothing matched\n";
}

void print_command(std::ostream& out, const Screen& screen, const Command& command) {
    out << "millrace " << command.name << ": " << command.summary << '\n';
    print_heading(out, screen, "Usage");
    print_indented(out, command.usage);
    if (!command.details.empty()) {
        out << '\n';
        print_indented(out, command.details);
    }
    if (!command.flags.empty()) {
        print_heading(out, screen, "Flags");
        std::size_t width = 0;
        for (const auto& flag : command.flags)
            width = std::max(width, shown(flag).size());
        for (const auto& flag : command.flags)
            out << fmt::format("  {:<{}}  {}\n", shown(flag), width, flag.meaning);
    }
    if (command.name == "worker") print_worker_settings(out, screen);
    out << "\nThe database is that of --database-url or PGHOST, PGDATABASE and their like; see millrace help "
           "settings.\n";
}

void print_settings(std::ostream& out, const Screen& screen) {
    out << "Each setting may be given as a flag, in the environment or in a file, the first of them winning:\n\n"
           "  --worker-lease 30s          after `millrace worker` also --lease 30s\n"
           "  MILLRACE_WORKER_LEASE=30s\n"
           "  [worker]                    in the file that --config or MILLRACE_CONFIG names;\n"
           "  lease = 30s                 config/millrace.conf is an example\n\n"
           "Durations are written as 500ms, 30s, 5min, 1h, 7d. Passwords are taken from the environment or from files\n"
           "with mode 0600 only.\n";
    print_heading(out, screen, "Settings");
    const auto settings = known_settings();
    std::size_t width = 0;
    const auto left = [](const Setting& setting) { return fmt::format("{} = {}", setting.key, setting.value); };
    for (const auto& setting : settings)
        width = std::max(width, left(setting).size());
    for (const auto& setting : settings)
        out << fmt::format("  {:<{}}  {}\n", left(setting), width, setting.meaning);
}

void print_version(std::ostream& out) {
    out << "millrace " MILLRACE_VERSION "\n";
}

}  // namespace millrace::cli
