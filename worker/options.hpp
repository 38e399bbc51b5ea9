#pragma once
// What a person told this process: the command, its own arguments, and the settings, all of them validated.
//
// A setting has one name in three places, the stronger first:
//
//     command line   --worker-lease 30s     (--worker.lease too; and after `millrace worker` also --lease)
//     environment    MILLRACE_WORKER_LEASE=30s
//     file           [worker]
//                    lease = 30s            (--config FILE or MILLRACE_CONFIG; none is read unless it is named)
//
// What is not known is refused, and so is a secret that others could read: on the command line, or in a file whose
// mode is not 0600. libpq's own variables (PGHOST, PGPASSFILE, …) hold where `database.url` is silent.
//
// Lists stand one a line in the file, or once each on the command line; a variable has commas between queues, and
// semicolons between databases.
//
// Pure but for reading the files that it is told to read and asking this host for its name and this process's number.

#include "adapters/github.hpp"
#include "adapters/smtp_settings.hpp"
#include "engine/settings.hpp"
#include "ops/address.hpp"
#include "ops/log.hpp"
#include "ops/supervisor.hpp"

#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

// Of `millrace serve`, for people who watch.
struct DashboardOptions {
    bool is_served = false;
    bool shows_payloads = false;
    std::string url;    // where they reach it, by https; empty: as http.listen says
    std::string token;  // of those who may change things; empty: it is to look at only
};

// One of several that a worker serves.
struct NamedDatabase {
    std::string name;
    std::string url;  // as in database_url

    friend bool operator==(const NamedDatabase&, const NamedDatabase&) = default;
};

struct Options {
    std::string command;                 // the first word; empty when there is none
    std::vector<std::string> arguments;  // what follows it, without the settings
    bool wants_help = false;
    bool wants_version = false;

    std::string database_url;              // empty: libpq's environment and defaults
    std::string database_name;             // among `databases`; empty: there are none
    std::vector<NamedDatabase> databases;  // that a worker serves; none: it serves that of database_url
    engine::WorkerSettings worker;
    std::optional<ops::Address> http;            // where to serve health and metrics; nothing: nowhere
    std::optional<ops::Log::Format> log_format;  // nothing: for people on a terminal, else JSON
    ops::Level log_level = ops::Level::info;
    std::string trace_endpoint;  // where spans are sent; empty: nowhere
    std::string trace_header;    // what the collector wants besides, as NAME: VALUE; empty: nothing
    std::string trace_ca_file;   // empty: the system's authorities
    std::optional<adapters::SmtpSettings> smtp;
    std::string notify_redirect_all;      // an address; empty: mails go to their recipients
    std::vector<std::string> api_tokens;  // of those who may call the API; empty: nobody
    DashboardOptions dashboard;
    std::string unsubscribe_url;                     // where people reach `millrace serve`; empty: none in mails
    std::vector<std::string> unsubscribe_secrets;    // the first one signs; empty: mails bear no unsubscribe address
    std::optional<adapters::GithubSettings> github;  // nothing: no variable is named that holds a token

    std::string cache_directory;  // empty: none can be thought of
    ops::Supervision supervision;
    // NAME=value: what programs that a worker starts may see of this process's variables.
    std::vector<std::string> program_environment;
    // Variables whose names begin with PIPELINE_: tokens and keys that pipeline queues name.
    std::map<std::string, std::string> pipeline_secrets;
};

// A setting that cannot be used as it stands. The text names it, says why, and what to write instead.
class OptionError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Setting {
    std::string_view key;      // as in the file, with its section
    std::string_view value;    // what is expected, in capitals
    std::string_view meaning;  // one line
};

using Environment = std::map<std::string, std::string>;

// This process's variables; nothing else in this program reads them.
[[nodiscard]] Environment process_environment();

// `words` are the command line without the program's name. Throws OptionError.
[[nodiscard]] Options read_options(std::span<const std::string> words, const Environment& environment);

// All there is to set, in the order of the example file.
[[nodiscard]] std::vector<Setting> known_settings();

// The flags, without their dashes, that `read_options` takes after this command.
[[nodiscard]] std::vector<std::string> setting_flags(std::string_view command);

}  // namespace millrace
