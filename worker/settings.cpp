#include "settings.hpp"

#include "adapters/mail.hpp"
#include "adapters/smtp_login.hpp"
#include "adapters/unsubscribe_token.hpp"
#include "core/duration.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <initializer_list>
#include <regex>
#include <sstream>
#include <tuple>
#include <utility>

namespace millrace {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t max_file_bytes = std::size_t{256} * 1024;
constexpr std::size_t most_shown_bytes = 200;
constexpr std::size_t max_slots = 1000;  // each is a thread
constexpr std::size_t max_databases = 20;

[[noreturn]] void refuse(const Given& given, std::string_view reason, std::string_view remedy) {
    const auto shown = core::printable(given.value, most_shown_bytes);
    throw OptionError{fmt::format("{}: \"{}\" {}. {}", given.origin, shown, reason, remedy)};
}

std::string chmod_remedy(const std::string& path) {
    return fmt::format("Run: chmod 600 {}", path);
}

void require_secrecy(const Given& given) {
    if (given.source == Given::Source::command_line) {
        throw OptionError{given.origin +
                          ": ps shows a password on the command line to everybody. Give it in the "
                          "environment or in a file with mode 0600."};
    }
    if (given.secrecy == Given::Secrecy::shared) {
        throw OptionError{
            fmt::format("{}: a password in a file that others can read. {}", given.origin, chmod_remedy(given.file))};
    }
}

std::string text_of(const Given& given) {
    if (given.value.empty()) refuse(given, "is empty", "Give a value, or leave the setting out.");
    return given.value;
}

std::size_t number_of(const Given& given, std::string_view text, std::size_t least, std::size_t most) {
    std::size_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} || rest != end || number < least || number > most) {
        refuse(given, "is out of range", fmt::format("Write a whole number from {} to {}.", least, most));
    }
    return number;
}

milliseconds duration_of(const Given& given, milliseconds least, milliseconds most) {
    const auto duration = core::parse_duration(given.value);
    if (!duration) refuse(given, "is not a duration", fmt::format("Write {}.", core::duration_examples));
    if (*duration < least || *duration > most) {
        refuse(
            given, "is out of range",
            fmt::format("Write a duration from {} to {}.", core::format_duration(least), core::format_duration(most)));
    }
    return *duration;
}

template <class Value>
Value choice_of(const Given& given, std::initializer_list<std::pair<std::string_view, Value>> choices) {
    std::string names;
    for (const auto& [name, value] : choices) {
        if (name == given.value) return value;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    }
    refuse(given, "is not known", fmt::format("Choose one of: {}.", names));
}

bool is_on(const Given& given) {
    return choice_of<bool>(given, {{"on", true}, {"off", false}});
}

bool holds_password(const std::string& url) {
    static const std::regex password{R"((^|[\s?&'])(ssl)?password\s*=|://[^/@]*:[^/@]+@)", std::regex::icase};
    return std::regex_search(url, password);
}

void set_database_url(Draft& draft, const Given& given) {
    draft.options.database_url = text_of(given);
    if (holds_password(given.value)) require_secrecy(given);
}

// What was given is never shown: it may be a password.
void add_database(Draft& draft, const Given& given) {
    constexpr std::size_t longest_name = 40;
    const auto& text = given.value;
    if (holds_password(text) || holds_password(text.substr(text.find('=') + 1))) require_secrecy(given);
    const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-");
    if (end == 0 || end > longest_name || text[end] != '=' || end + 1 == text.size()) {
        throw OptionError{
            given.origin +
            ": not a database. Write NAME=URL; a name is 1 to 40 of a-z, 0-9, _ and -, and a URL is as in "
            "database.url."};
    }
    auto& databases = draft.options.databases;
    NamedDatabase database{text.substr(0, end), text.substr(end + 1)};
    const auto is_same = [&](const NamedDatabase& other) { return other.name == database.name; };
    if (std::any_of(databases.begin(), databases.end(), is_same)) {
        throw OptionError{given.origin + ": names a database a second time. Name each once."};
    }
    if (databases.size() == max_databases) {
        throw OptionError{
            fmt::format("{}: more than {} databases. Let other workers serve the rest.", given.origin, max_databases)};
    }
    databases.push_back(std::move(database));
}

void set_listen_url(Draft& draft, const Given& given) {
    draft.options.worker.listen_url = text_of(given);
    if (holds_password(given.value)) require_secrecy(given);
}

void add_queue(Draft& draft, const Given& given) {
    static const std::regex form{"([a-z0-9][a-z0-9_.-]{0,47})(=([0-9]{1,9}))?"};
    std::smatch parts;
    if (!std::regex_match(given.value, parts, form)) {
        refuse(
            given, "is not a queue",
            "Write NAME or NAME=SLOTS; a name is 1 to 48 of a-z, 0-9, _, . and -, and begins with a letter or digit.");
    }
    engine::QueueSettings queue;
    queue.name = parts[1].str();
    if (parts[3].matched) queue.slots = number_of(given, parts[3].str(), 1, max_slots);
    for (const auto& other : draft.options.worker.queues) {
        if (other.name == queue.name) refuse(given, "names a queue a second time", "Name each queue once.");
    }
    draft.options.worker.queues.push_back(std::move(queue));
}

void set_worker_name(Draft& draft, const Given& given) {
    constexpr std::size_t max_bytes = 200;
    draft.options.worker.name = text_of(given);
    if (given.value.size() > max_bytes) refuse(given, "is too long", "Use up to 200 bytes.");
    if (core::printable(given.value, max_bytes) != given.value) refuse(given, "is not UTF-8", "Write it in UTF-8.");
}

void set_cache(Draft& draft, const Given& given) {
    draft.options.cache_directory = text_of(given);
    if (!given.value.starts_with('/')) refuse(given, "is not absolute", "Begin it with a slash.");
}

void set_smtp_url(Draft& draft, const Given& given) {
    static const std::regex form{R"((smtps?)://(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?/?)"};
    std::smatch parts;
    if (!std::regex_match(given.value, parts, form)) {
        throw OptionError{given.origin +
                          ": not the address of an SMTP server. Write smtp://HOST:PORT, or "
                          "smtps://HOST:PORT for TLS from the first byte; the user belongs to "
                          "smtp.username and the password to smtp.password_file."};
    }
    draft.smtp_is_tls = parts[1].str() == "smtps";
    draft.smtp.host = parts[2].matched ? parts[2].str() : parts[3].str();
    draft.smtp.port = 0;
    if (parts[4].matched) draft.smtp.port = static_cast<std::uint16_t>(number_of(given, parts[4].str(), 1, 65535));
}

void set_password(Draft& draft, const Given& given) {
    require_secrecy(given);
    draft.smtp.password = given.value;
}

// What a file with mode 0600 holds, without the end of its last line.
std::string secret_in(const Given& given) {
    const auto path = text_of(given);
    auto secret = read_file(path, given.origin);
    if (secrecy_of(path) == Given::Secrecy::shared) {
        throw OptionError{fmt::format("{}: others can read {}. {}", given.origin, path, chmod_remedy(path))};
    }
    secret.erase(secret.find_last_not_of("\r\n") + 1);
    return secret;
}

void set_password_file(Draft& draft, const Given& given) {
    auto secret = secret_in(given);
    if (secret.empty()) refuse(given, "holds no password", "Write it on the first line.");
    draft.smtp.password = std::move(secret);
}

// It is short-lived: a file is worth it only where something renews it there.
void set_token(Draft& draft, const Given& given) {
    require_secrecy(given);
    if (given.source != Given::Source::environment) {
        throw OptionError{given.origin +
                          ": a token is taken from the environment only. Set MILLRACE_SMTP_TOKEN, or smtp.token_file."};
    }
    draft.smtp.token = given.value;
}

// Read again for each mail.
void set_token_file(Draft& draft, const Given& given) {
    draft.smtp.token_file = text_of(given);
    try {
        std::ignore = adapters::read_token(draft.smtp.token_file);
    } catch (const adapters::SmtpLoginProblem& problem) {
        const std::string text{problem.what()};
        throw OptionError{given.origin + text.substr(text.find(": "))};
    }
}

std::vector<std::string> secrets_of(const Given& given) {
    require_secrecy(given);
    std::vector<std::string> secrets;
    std::istringstream list{given.value};
    for (std::string secret; std::getline(list, secret, ',');)
        secrets.push_back(secret);
    return secrets;
}

void set_unsubscribe_secrets(Draft& draft, const Given& given) {
    auto& secrets = draft.options.unsubscribe_secrets;
    secrets = secrets_of(given);
    try {
        const adapters::UnsubscribeTokens tokens{secrets};
    } catch (const std::invalid_argument& error) {
        const std::string problem{error.what()};
        throw OptionError{given.origin + problem.substr(problem.find(": "))};
    }
}

void set_unsubscribe_url(Draft& draft, const Given& given) {
    static const std::regex form{R"((https://[A-Za-z0-9._\[\]:-]+(?:/[A-Za-z0-9._~-]+)*)/?)"};
    std::smatch parts;
    if (given.value.size() > 500 || !std::regex_match(given.value, parts, form)) {
        refuse(given, "is not an https address", "Write https://HOST, or https://HOST/PATH, of up to 500 characters.");
    }
    draft.options.unsubscribe_url = parts[1].str();
}

bool is_weak(const std::string& token) {
    return token.size() < 32 || token.size() > 1024;
}

void take_dashboard_token(Draft& draft, const Given& given, std::string token) {
    const auto is_odd = [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; };
    if (is_weak(token) || std::any_of(token.begin(), token.end(), is_odd)) {
        throw OptionError{given.origin +
                          ": a token of 32 to 1024 characters on one line. Make one with: openssl rand -hex 32"};
    }
    draft.options.dashboard.token = std::move(token);
}

void set_dashboard_token(Draft& draft, const Given& given) {
    require_secrecy(given);
    take_dashboard_token(draft, given, given.value);
}

void set_dashboard_token_file(Draft& draft, const Given& given) {
    take_dashboard_token(draft, given, secret_in(given));
}

void set_dashboard_url(Draft& draft, const Given& given) {
    static const std::regex form{R"((https://[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?)/?)"};
    std::smatch parts;
    if (given.value.size() > 500 || !std::regex_match(given.value, parts, form)) {
        refuse(given, "is not the address of an https host", "Write https://HOST or https://HOST:PORT in lower case.");
    }
    draft.options.dashboard.url = parts[1].str();
}

void set_api_tokens(Draft& draft, const Given& given) {
    auto& tokens = draft.options.api_tokens;
    tokens = secrets_of(given);
    if (tokens.size() > 10 || std::any_of(tokens.begin(), tokens.end(), is_weak)) {
        throw OptionError{given.origin +
                          ": up to 10 tokens of 32 to 1024 characters, with commas between them. Make one "
                          "with: openssl rand -hex 32"};
    }
}

// A text that goes into the SMTP settings as it is.
template <std::string adapters::SmtpSettings::*member>
void set_smtp_text(Draft& draft, const Given& given) {
    draft.smtp.*member = text_of(given);
    draft.first_smtp_origin = given.origin;
}

void set_smtp_security(Draft& draft, const Given& given) {
    using adapters::SmtpSecurity;
    draft.smtp_security = choice_of<SmtpSecurity>(
        given, {{"starttls", SmtpSecurity::starttls}, {"tls", SmtpSecurity::tls}, {"none", SmtpSecurity::none}});
    draft.first_smtp_origin = given.origin;
}

void set_smtp_auth(Draft& draft, const Given& given) {
    using adapters::SmtpAuth;
    draft.smtp.auth = choice_of<SmtpAuth>(given, {{"auto", SmtpAuth::automatic},
                                                  {"plain", SmtpAuth::plain},
                                                  {"login", SmtpAuth::login},
                                                  {"cram-md5", SmtpAuth::cram_md5},
                                                  {"xoauth2", SmtpAuth::xoauth2}});
    draft.first_smtp_origin = given.origin;
}

void set_token_variable(Draft& draft, const Given& given) {
    static const std::regex form{"[A-Z_][A-Z0-9_]{0,99}"};
    if (!std::regex_match(given.value, form)) {
        // Not what was given: it may be the token.
        throw OptionError{given.origin +
                          ": not the name of a variable. Write one of A-Z, 0-9 and _, such as "
                          "GITHUB_TOKEN; the token itself belongs in that variable."};
    }
    draft.github.token_variable = given.value;
}

void set_github_ca_file(Draft& draft, const Given& given) {
    draft.github.ca_file = text_of(given);
}

// A token in the clear is for tests on this host only.
void set_api_url(Draft& draft, const Given& given) {
    static const std::regex form{R"((https://[A-Za-z0-9][A-Za-z0-9.-]*|http://(127\.0\.0\.1|localhost|\[::1\])))"
                                 R"((:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?)"};
    if (!std::regex_match(given.value, form)) {
        refuse(given, "is not an address of an API",
               "Write https://HOST, or https://HOST/api/v3 for GitHub Enterprise.");
    }
    draft.github.api_url = given.value.substr(0, given.value.find_last_not_of('/') + 1);
}

void set_listening(Draft& draft, const Given& given) {
    using engine::Listening;
    draft.options.worker.listening = choice_of<Listening>(given, {{"on", Listening::on}, {"off", Listening::off}});
}

void set_http(Draft& draft, const Given& given) {
    static const std::regex form{R"((?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5}))"};
    std::smatch parts;
    if (given.value == "off") {
        draft.options.http.reset();
    } else if (std::regex_match(given.value, parts, form)) {
        const auto port = static_cast<int>(number_of(given, parts[3].str(), 1, 65535));
        draft.options.http = ops::Address{parts[1].matched ? parts[1].str() : parts[2].str(), port};
    } else {
        refuse(given, "is not an address to listen on", "Write ADDRESS:PORT, for example 127.0.0.1:9477, or off.");
    }
}

void set_log_format(Draft& draft, const Given& given) {
    using Format = ops::Log::Format;
    draft.options.log_format = choice_of<std::optional<Format>>(
        given, {{"auto", std::nullopt}, {"json", Format::json}, {"human", Format::human}});
}

void set_log_level(Draft& draft, const Given& given) {
    using ops::Level;
    draft.options.log_level = choice_of<Level>(
        given, {{"debug", Level::debug}, {"info", Level::info}, {"warning", Level::warning}, {"error", Level::error}});
}

void set_trace_endpoint(Draft& draft, const Given& given) {
    static const std::regex form{
        R"(https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(:[0-9]{1,5})?/[A-Za-z0-9._~/-]*)"};
    if (given.value.size() > 500 || !std::regex_match(given.value, form)) {
        // Not what was given: it may hold a token.
        throw OptionError{given.origin +
                          ": not the address of a collector. Write all of it, as http://localhost:4318/v1/traces; a "
                          "token belongs to trace.header."};
    }
    draft.options.trace_endpoint = given.value;
}

void set_trace_header(Draft& draft, const Given& given) {
    static const std::regex form{"[A-Za-z0-9-]{1,100}: [!-~]( ?[!-~])*"};
    require_secrecy(given);
    if (given.value.size() > 1000 || !std::regex_match(given.value, form)) {
        // Not what was given: it may be the token.
        throw OptionError{given.origin + ": not a header. Write NAME: VALUE, such as Authorization: Bearer TOKEN."};
    }
    draft.options.trace_header = given.value;
}

std::string host_and_process() {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host = {'h', 'o', 's', 't'};
    return fmt::format("{}-{}", host.data(), getpid());
}

void complete_smtp(Draft& draft) {
    using adapters::SmtpSecurity;
    if (draft.smtp.host.empty()) {
        if (draft.first_smtp_origin.empty()) return;
        throw OptionError{draft.first_smtp_origin +
                          ": set, but smtp.url is not. Name the server in smtp.url, or leave "
                          "the other smtp settings out."};
    }
    if (draft.smtp_is_tls && draft.smtp_security.value_or(SmtpSecurity::tls) != SmtpSecurity::tls) {
        throw OptionError{draft.first_smtp_origin +
                          ": contradicts smtps:// in smtp.url. Write smtp://, or leave out "
                          "smtp.security."};
    }
    draft.smtp.security = draft.smtp_is_tls ? SmtpSecurity::tls : draft.smtp_security.value_or(SmtpSecurity::starttls);
    if (draft.smtp.port == 0) draft.smtp.port = draft.smtp.security == SmtpSecurity::tls ? 465 : 587;
    draft.options.smtp = draft.smtp;
}

// A token in the clear is for a collector on this host only.
void complete_trace(const Options& options) {
    static const std::regex fit{R"(https:.*|http://(127\.0\.0\.1|localhost|\[::1\])[:/].*)"};
    if (options.trace_header.empty() || options.trace_endpoint.empty()) return;
    if (!std::regex_match(options.trace_endpoint, fit)) {
        throw OptionError{
            "trace.header: trace.endpoint would take it over the network in the clear. Write https:// there, or use a "
            "collector on this host."};
    }
}

// Which of the two is meant is for a person to say.
void complete_databases(const Options& options) {
    if (options.command != "worker" || options.databases.empty()) return;
    if (!options.worker.listen_url.empty()) {
        throw OptionError{
            "database.listen_url: is for one database, and worker.database names others. Leave it out, and give "
            "worker.database addresses that go around the pooler."};
    }
    if (options.database_url.empty()) return;
    throw OptionError{
        "worker.database: database.url is set, too. Give that database a name and a worker.database of its own, or "
        "leave one of the two out."};
}

using adapters::SmtpSettings;

void set_redirect_all(Draft& draft, const Given& given) {
    if (const auto problem = adapters::address_problem(given.value)) {
        throw OptionError{fmt::format("{}: {}. Write one address, as staging@example.org.", given.origin, *problem)};
    }
    draft.options.notify_redirect_all = given.value;
}

const std::array all_rules{
    Rule{{"database.url", "URL", "PostgreSQL: libpq URI or keywords; PGHOST and its like fill the rest"},
         set_database_url},
    Rule{{"database.listen_url", "URL", "the same database for LISTEN, around a transaction pooler (database.url)"},
         set_listen_url},
    Rule{{"worker.database", "NAME=URL", "one of several databases to serve, each with all queues; repeatable"},
         add_database},
    Rule{{"worker.queue", "NAME[=SLOTS]", "a queue to serve, so many jobs at once (10); repeatable"}, add_queue},
    Rule{{"worker.name", "TEXT", "for people, in millrace.workers (host and process id)"}, set_worker_name},
    Rule{{"worker.prefetch", "NUMBER", "jobs claimed ahead per queue at most, while they are short (1000)"},
         [](Draft& draft, const Given& given) { draft.prefetch = number_of(given, given.value, 0, 10'000); }},
    Rule{{"worker.lease", "DURATION", "how long the server waits for a sign of life (30s)"},
         [](Draft& draft, const Given& given) { draft.options.worker.lease = duration_of(given, 1s, 1h); }},
    Rule{{"worker.poll_interval", "DURATION", "between looks at an idle queue (5s)"},
         [](Draft& draft, const Given& given) { draft.options.worker.poll_interval = duration_of(given, 10ms, 1h); }},
    Rule{{"worker.drain_timeout", "DURATION", "for running jobs at shutdown (30s)"},
         [](Draft& draft, const Given& given) { draft.options.worker.drain_timeout = duration_of(given, 0s, 24h); }},
    Rule{{"worker.stop_grace", "DURATION", "for jobs that were asked to stop, until their sessions are hung up (5s)"},
         [](Draft& draft, const Given& given) { draft.options.worker.stop_grace = duration_of(given, 100ms, 5min); }},
    Rule{{"worker.listen", "on|off", "off behind a transaction pooler: poll only (on)"}, set_listening},
    Rule{{"worker.cache", "DIRECTORY", "copies of repositories; may be removed while no worker runs"}, set_cache},
    Rule{{"http.listen", "ADDRESS:PORT|off", "serves /healthz, /readyz and /metrics there (off)"}, set_http},
    Rule{{"log.format", "auto|json|human", "auto: human on a terminal, else JSON lines (auto)"}, set_log_format},
    Rule{{"log.level", "LEVEL", "the least that is written: debug, info, warning, error (info)"}, set_log_level},
    Rule{{"trace.endpoint", "URL", "takes spans of traced jobs by OTLP over HTTP: http://localhost:4318/v1/traces"},
         set_trace_endpoint},
    Rule{{"trace.header", "NAME: VALUE", "for the collector; from the environment or a file with mode 0600 only"},
         set_trace_header},
    Rule{{"trace.ca_file", "FILE", "authorities to trust instead of the system's, in PEM"},
         [](Draft& draft, const Given& given) { draft.options.trace_ca_file = text_of(given); }},
    Rule{{"smtp.url", "URL", "smtp://HOST:PORT or smtps://HOST:PORT; without it no email.send"}, set_smtp_url},
    Rule{{"smtp.security", "starttls|tls|none", "starttls is required, never optional (starttls)"}, set_smtp_security},
    Rule{{"smtp.username", "TEXT", "leave out for no authentication"}, set_smtp_text<&SmtpSettings::username>},
    Rule{{"smtp.password", "TEXT", "from the environment or a file with mode 0600 only"}, set_password},
    Rule{{"smtp.password_file", "FILE", "a file with mode 0600 that holds the password alone"}, set_password_file},
    Rule{{"smtp.auth", "auto|plain|login|cram-md5|xoauth2", "how to say who we are; xoauth2 with a token (auto)"},
         set_smtp_auth},
    Rule{{"smtp.token", "TEXT", "of xoauth2, from the environment only"}, set_token},
    Rule{{"smtp.token_file", "FILE", "of xoauth2: mode 0600, the token alone; read again for each mail"},
         set_token_file},
    Rule{{"smtp.ca_file", "FILE", "authorities to trust instead of the system's, in PEM"},
         set_smtp_text<&SmtpSettings::ca_file>},
    Rule{{"smtp.from", "ADDRESS", "sender of mails that name none: address or Name <address>"},
         set_smtp_text<&SmtpSettings::from>},
    Rule{{"smtp.helo", "HOST", "what this client calls itself (this host's name)"}, set_smtp_text<&SmtpSettings::helo>},
    Rule{{"smtp.connect_timeout", "DURATION", "from connecting to the end of authentication (15s)"},
         [](Draft& draft, const Given& given) { draft.smtp.connect_timeout = duration_of(given, 1s, 5min); }},
    Rule{{"smtp.total_timeout", "DURATION", "for one mail up to its message, connecting included (60s)"},
         [](Draft& draft, const Given& given) { draft.smtp.total_timeout = duration_of(given, 1s, 30min); }},
    Rule{{"smtp.reply_timeout", "DURATION", "more for the message, and the server's word on it (10min)"},
         [](Draft& draft, const Given& given) { draft.smtp.reply_timeout = duration_of(given, 1s, 1h); }},
    Rule{{"notify.redirect_all", "ADDRESS", "gets every mail instead of its recipient: for staging"}, set_redirect_all},
    Rule{{"api.tokens", "TEXT,...", "who shows one of them may call the API of `millrace serve`"}, set_api_tokens},
    Rule{{"dashboard.serve", "on|off", "whether `millrace serve` shows the dashboard (off)"},
         [](Draft& draft, const Given& given) { draft.options.dashboard.is_served = is_on(given); }},
    Rule{{"dashboard.url", "URL", "https://HOST where people reach the dashboard, behind a proxy"}, set_dashboard_url},
    Rule{{"dashboard.token", "TEXT", "who shows it may change things; from the environment or a file with mode 0600"},
         set_dashboard_token},
    Rule{{"dashboard.token_file", "FILE", "a file with mode 0600 that holds the token alone"},
         set_dashboard_token_file},
    Rule{{"dashboard.payloads", "on|off", "whether it shows payloads and results of jobs (off)"},
         [](Draft& draft, const Given& given) { draft.options.dashboard.shows_payloads = is_on(given); }},
    Rule{{"unsubscribe.url", "URL", "where readers of mail reach `millrace serve`; without it no such links in mails"},
         set_unsubscribe_url},
    Rule{{"unsubscribe.secrets", "TEXT,...", "seal unsubscribe addresses; the first signs, all verify"},
         set_unsubscribe_secrets},
    Rule{{"github.token_variable", "NAME", "environment variable that holds the token for GitHub (none)"},
         set_token_variable},
    Rule{{"github.api_url", "URL", "of its REST interface, for GitHub Enterprise (https://api.github.com)"},
         set_api_url},
    Rule{{"github.ca_file", "FILE", "authorities to trust instead of the system's, in PEM"}, set_github_ca_file},
};

}  // namespace

std::span<const Rule> rules() {
    return all_rules;
}

void complete(Draft& draft) {
    complete_smtp(draft);
    complete_trace(draft.options);
    complete_databases(draft.options);
    if (!draft.options.unsubscribe_url.empty() && draft.options.unsubscribe_secrets.empty()) {
        throw OptionError{
            "unsubscribe.url: nothing seals its addresses. Set MILLRACE_UNSUBSCRIBE_SECRETS, as openssl rand -hex 32"
            " writes one."};
    }
    if (!draft.github.token_variable.empty()) draft.options.github = draft.github;
    auto& worker = draft.options.worker;
    for (auto& queue : worker.queues)
        queue.max_prefetch = draft.prefetch;
    if (worker.name.empty()) worker.name = host_and_process();
}

std::string read_file(const std::string& path, const std::string& origin) {
    struct stat status {};
    std::ifstream file{path, std::ios::binary};
    if (!file || stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        throw OptionError{fmt::format("{}: cannot read {}. Check its path and who may read it.", origin, path)};
    }
    std::string text(max_file_bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) throw OptionError{fmt::format("{}: cannot read {}. Is it a plain file?", origin, path)};
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > max_file_bytes) {
        throw OptionError{
            fmt::format("{}: {} is longer than {} bytes. Is it the right file?", origin, path, max_file_bytes)};
    }
    return text;
}

Given::Secrecy secrecy_of(const std::string& path) {
    struct stat status {};
    const bool is_private = stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    return is_private ? Given::Secrecy::owner_only : Given::Secrecy::shared;
}

}  // namespace millrace
