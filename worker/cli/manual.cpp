#include "cli/manual.hpp"

#include <fmt/format.h>

#include <ostream>

namespace millrace::cli {

namespace {

// As roff reads it: dashes are dashes and not hyphens, and no line is taken for a request.
std::string roff(std::string_view text) {
    std::string escaped;
    for (const char letter : text) {
        const bool begins_line = escaped.empty() || escaped.back() == '\n';
        if (begins_line && (letter == '.' || letter == '\'')) escaped += "\\&";
        if (letter == '\\') {
            escaped += "\\e";
        } else if (letter == '-') {
            escaped += "\\-";
        } else {
            escaped += letter;
        }
    }
    return escaped;
}

// With its lines as they are.
void print_lines(std::ostream& out, std::string_view lines) {
    out << ".nf\n" << roff(lines) << "\n.fi\n";
}

void print_item(std::ostream& out, std::string_view name, std::string_view value, std::string_view meaning) {
    out << ".TP\n\\fB" << roff(name) << "\\fR";
    if (!value.empty()) out << " \\fI" << roff(value) << "\\fR";
    out << '\n' << roff(meaning) << '\n';
}

void print_command(std::ostream& out, const Command& command) {
    out << ".SS millrace " << command.name << '\n' << roff(command.summary) << ".\n.PP\n";
    print_lines(out, command.usage);
    if (!command.details.empty()) out << ".PP\n" << roff(command.details) << '\n';
    for (const auto& flag : command.flags)
        print_item(out, fmt::format("--{}", flag.name), flag.value, flag.meaning);
}

void print_settings(std::ostream& out) {
    out << ".SH SETTINGS\n"
           "Each may be given as a flag (\\fB\\-\\-worker\\-lease 30s\\fR, after \\fBmillrace worker\\fR also "
           "\\fB\\-\\-lease 30s\\fR), in\nthe environment (\\fBMILLRACE_WORKER_LEASE=30s\\fR), or in the file that "
           "\\fB\\-\\-config\\fR or \\fBMILLRACE_CONFIG\\fR names, as\n\\fBlease = 30s\\fR below \\fB[worker]\\fR, the "
           "first of them winning. Durations are written as 500ms, 30s, 5min, 1h, 7d.\nPasswords are taken from the "
           "environment or from files with mode 0600 only.\n";
    for (const auto& setting : known_settings())
        print_item(out, setting.key, setting.value, setting.meaning);
}

}  // namespace

void print_manual(std::ostream& out, std::span<const Command> commands) {
    out << ".TH MILLRACE 1 \"\" \"millrace " MILLRACE_VERSION
           "\" \"User Commands\"\n"
           ".SH NAME\nmillrace \\- PostgreSQL tables as job queues\n"
           ".SH SYNOPSIS\n\\fBmillrace\\fR \\fIcommand\\fR [\\fIwords\\fR] [\\fIflags\\fR]\n.br\n"
           "\\fBmillrace help\\fR [\\fIcommand\\fR|\\fBsettings\\fR]\n"
           ".SH DESCRIPTION\nMillrace is a job queue whose queues are PostgreSQL tables, and the worker that empties "
           "them. The database is that of\n\\fB\\-\\-database\\-url\\fR, or of \\fBPGHOST\\fR, \\fBPGDATABASE\\fR and "
           "their like, as every client of PostgreSQL reads them.\n"
           ".SH COMMANDS\n";
    for (const auto& command : commands)
        print_command(out, command);
    print_settings(out);
    out << ".SH \"EXIT STATUS\"\n";
    print_item(out, "0", "", "done");
    print_item(out, "1", "", "failed");
    print_item(out, "2", "", "wrong usage; nothing was tried");
    print_item(out, "3", "", "nothing matched");
    out << ".SH ENVIRONMENT\n";
    print_item(out, "MILLRACE_CONFIG", "", "the file with settings");
    print_item(out, "MILLRACE_...", "", "a setting each");
    print_item(out, "PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSFILE, PGSERVICE, ...", "", "as of libpq");
    print_item(out, "NO_COLOR", "", "not empty: no colours");
    out << ".SH \"SEE ALSO\"\n.BR psql (1)\n";
}

}  // namespace millrace::cli
