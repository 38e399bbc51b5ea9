#include "options.hpp"

#include "core/nearest.hpp"
#include "settings.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <sstream>

namespace millrace {

namespace {

constexpr std::string_view variable_prefix = "MILLRACE_";
constexpr std::string_view config_variable = "MILLRACE_CONFIG";
constexpr std::size_t most_value_bytes = 4096;

// What was given for each setting, by its key. A stronger source replaces all that a weaker one gave.
using Values = std::map<std::string, std::vector<Given>, std::less<>>;

std::vector<std::string> known_keys() {
    std::vector<std::string> keys;
    for (const auto& rule : rules())
        keys.emplace_back(rule.setting.key);
    return keys;
}

bool is_known(std::string_view key) {
    return std::any_of(rules().begin(), rules().end(), [&](const Rule& rule) { return rule.setting.key == key; });
}

std::string variable_of(std::string_view key) {
    std::string name{variable_prefix};
    for (const char letter : key) {
        name += letter == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    }
    return name;
}

[[noreturn]] void refuse_unknown(const std::string& place, const std::string& name,
                                 const std::vector<std::string>& known) {
    const auto meant = core::nearest(name, known);
    const auto remedy =
        meant ? fmt::format("Did you mean {}?", *meant) : std::string{"`millrace help settings` lists what there is."};
    throw OptionError{fmt::format("{}: unknown setting {}. {}", place, name, remedy)};
}

void replace(Values& weaker, const Values& stronger) {
    // Two ways to give one secret: the stronger source decides, whichever way it uses.
    if (stronger.contains("smtp.password")) weaker.erase("smtp.password_file");
    if (stronger.contains("smtp.password_file")) weaker.erase("smtp.password");
    if (stronger.contains("smtp.token")) weaker.erase("smtp.token_file");
    if (stronger.contains("smtp.token_file")) weaker.erase("smtp.token");
    if (stronger.contains("dashboard.token")) weaker.erase("dashboard.token_file");
    if (stronger.contains("dashboard.token_file")) weaker.erase("dashboard.token");
    for (const auto& [key, given] : stronger)
        weaker.insert_or_assign(key, given);
}

bool is_section_or_pair(std::string_view line) {
    constexpr std::string_view blanks = " \t\r";
    line.remove_prefix(line.find_first_not_of(blanks));
    line.remove_suffix(line.size() - 1 - line.find_last_not_of(blanks));
    if (line.front() == '[') return line.back() == ']';
    const auto equals = line.find('=');
    const auto key = line.substr(0, equals);
    return equals != std::string_view::npos &&
           key.substr(0, key.find_last_not_of(blanks) + 1).find_first_of(blanks) == std::string_view::npos;
}

// Boost would repeat a line that it cannot read, and that may be a password without its '='. It ends a value at the
// first '#': half a password would be a password that does not work.
void refuse_odd_lines(const std::string& text, const std::string& path) {
    std::istringstream lines{text};
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
        const auto start = line.find_first_not_of(" \t\r");
        if (start == std::string::npos || line[start] == '#') continue;
        if (line.find('#') != std::string::npos) {
            throw OptionError{
                fmt::format("{}:{}: a comment behind a value. Give it a line of its own; a value that holds # "
                            "belongs in the environment.",
                            path, number)};
        }
        if (!is_section_or_pair(line)) {
            throw OptionError{
                fmt::format("{}:{}: cannot be read. Write [section] lines and key = value lines.", path, number)};
        }
    }
}

Values from_file(const std::string& path, const std::string& origin) {
    namespace po = boost::program_options;
    const auto text = read_file(path, origin);
    const auto secrecy = secrecy_of(path);
    refuse_odd_lines(text, path);
    Values values;
    try {
        std::istringstream lines{text};
        for (const auto& option : po::parse_config_file(lines, po::options_description{}, true).options) {
            if (!is_known(option.string_key)) refuse_unknown(path, option.string_key, known_keys());
            values[option.string_key].push_back({.value = option.value.empty() ? "" : option.value.front(),
                                                 .origin = path + ": " + option.string_key,
                                                 .source = Given::Source::file,
                                                 .secrecy = secrecy,
                                                 .file = path});
        }
    } catch (const po::error&) {
        throw OptionError{fmt::format("{}: cannot be read. Write [section] lines and key = value lines.", path)};
    }
    return values;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream{text};
    for (std::string part; std::getline(stream, part, separator);)
        parts.push_back(part);
    return parts;
}

// Variables of our sections that mean nothing are mistakes; others that begin alike may be somebody else's.
void refuse_unknown_variables(const Environment& environment) {
    std::vector<std::string> known;
    for (const auto& key : known_keys())
        known.push_back(variable_of(key));
    for (const auto& [name, value] : environment) {
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        for (const auto& key : known_keys()) {
            const auto section = key.substr(0, key.find('.') + 1);
            if (!section.empty() && name.starts_with(variable_of(section))) refuse_unknown("environment", name, known);
        }
    }
}

Values from_environment(const Environment& environment) {
    refuse_unknown_variables(environment);
    Values values;
    for (const auto& key : known_keys()) {
        const auto variable = environment.find(variable_of(key));
        if (variable == environment.end() || variable->second.empty()) continue;
        auto& given = values[key];
        const auto separator = key == "worker.queue" ? ',' : key == "worker.database" ? ';' : '\0';
        for (const auto& value :
             separator != '\0' ? split(variable->second, separator) : std::vector{variable->second}) {
            given.push_back(
                {.value = value, .origin = variable->first, .source = Given::Source::environment, .file = {}});
        }
    }
    return values;
}

// The key that a flag sets, if it is one of ours: --worker.poll_interval or --worker-poll-interval, and after the
// command `worker` also --poll-interval.
std::optional<std::string> key_of(std::string_view flag, std::string_view command) {
    std::string name{flag};
    std::replace(name.begin(), name.end(), '-', '_');
    if (command == "worker" && is_known("worker." + name)) return "worker." + name;
    if (const auto end = name.find('_'); end != std::string::npos && name.find('.') == std::string::npos) {
        name[end] = '.';
    }
    return is_known(name) ? std::optional{name} : std::nullopt;
}

class CommandLine {
public:
    CommandLine(std::span<const std::string> words, Options& options) : words_{words}, options_{options} {}

    Values read() {
        while (next_ < words_.size())
            read_word(words_[next_++]);
        return std::move(values_);
    }

    [[nodiscard]] const std::string& config_file() const noexcept { return config_file_; }

private:
    void read_word(const std::string& word) {
        auto& command = options_.command;
        auto& arguments = options_.arguments;
        if (only_words_ || !word.starts_with("-") || word == "-") {
            if (command.empty()) {
                command = word;
            } else {
                arguments.push_back(word);
            }
        } else if (word == "--") {
            only_words_ = true;
            arguments.push_back(word);
        } else if (word == "--help" || word == "-h") {
            options_.wants_help = true;
        } else if (word == "--version") {
            options_.wants_version = true;
        } else if (!read_setting(word)) {
            // Not what stands behind the '=': it may be the password of a misspelt flag.
            if (command.empty()) refuse_unknown("command line", word.substr(0, word.find('=')), flags_before_command());
            arguments.push_back(word);
        }
    }

    bool read_setting(const std::string& word) {
        const auto equals = word.find('=');
        const auto flag = word.substr(0, equals);
        const auto name = flag.starts_with("--") ? flag.substr(2) : std::string{};
        const auto key = key_of(name, options_.command);
        if (!key && name != "config") return false;
        if (equals == std::string::npos && next_ == words_.size()) {
            throw OptionError{fmt::format("{}: no value. Write {} VALUE.", flag, flag)};
        }
        const auto value = equals == std::string::npos ? words_[next_++] : word.substr(equals + 1);
        if (key) {
            values_[*key].push_back(
                {.value = value, .origin = flag, .source = Given::Source::command_line, .file = {}});
        } else {
            config_file_ = value;
        }
        return true;
    }

    static std::vector<std::string> flags_before_command() {
        std::vector<std::string> flags{"--help", "--version"};
        for (const auto& flag : setting_flags(""))
            flags.push_back("--" + flag);
        return flags;
    }

    std::span<const std::string> words_;
    Options& options_;
    Values values_;
    std::string config_file_;
    std::size_t next_ = 0;
    bool only_words_ = false;
};

// std::regex takes a stack frame for each character, and a value of 30,000 would be the end of this process.
void refuse_endless(const Given& given) {
    if (given.value.size() <= most_value_bytes) return;
    throw OptionError{fmt::format("{}: longer than {} bytes. Is it the right value?", given.origin, most_value_bytes)};
}

std::string text_or_empty(const Environment& environment, std::string_view name) {
    const auto variable = environment.find(std::string{name});
    return variable == environment.end() ? "" : variable->second;
}

// As systemd and the XDG base directory specification name it.
std::string default_cache(const Environment& environment) {
    const auto own = text_or_empty(environment, "CACHE_DIRECTORY");
    if (own.starts_with('/')) return own.substr(0, own.find(':'));  // systemd may list several
    const auto shared = text_or_empty(environment, "XDG_CACHE_HOME");
    if (shared.starts_with('/')) return shared + "/millrace";
    const auto home = text_or_empty(environment, "HOME");
    return home.starts_with('/') ? home + "/.cache/millrace" : "";
}

// What finds programs, their owner's keys and the way out of this network; never a secret of ours.
std::vector<std::string> program_environment(const Environment& environment) {
    std::vector<std::string> passed;
    for (const std::string_view name : {"PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "http_proxy",
                                        "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"}) {
        const auto value = text_or_empty(environment, name);
        if (!value.empty()) passed.push_back(fmt::format("{}={}", name, value));
    }
    // Git looks for its authorities in a variable of its own.
    const auto authorities = text_or_empty(environment, "SSL_CERT_FILE");
    if (!authorities.empty()) passed.push_back("GIT_SSL_CAINFO=" + authorities);
    return passed;
}

// What systemd tells its services, sd_notify(3) and sd_watchdog_enabled(3). A watchdog may be another process's.
ops::Supervision supervision(const Environment& environment) {
    ops::Supervision wanted{.socket = text_or_empty(environment, "NOTIFY_SOCKET")};
    const auto watched = text_or_empty(environment, "WATCHDOG_PID");
    if (!watched.empty() && watched != std::to_string(getpid())) return wanted;
    const auto time = text_or_empty(environment, "WATCHDOG_USEC");
    std::int64_t micros = 0;
    const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), micros);
    if (error == std::errc{} && end == time.data() + time.size() && micros > 0) {
        wanted.watchdog = std::chrono::microseconds{micros};
    }
    return wanted;
}

std::map<std::string, std::string> pipeline_secrets(const Environment& environment) {
    std::map<std::string, std::string> secrets;
    for (const auto& [name, value] : environment)
        if (name.starts_with("PIPELINE_")) secrets.emplace(name, value);
    return secrets;
}

}  // namespace

Environment process_environment() {
    Environment environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text{*entry};
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

Options read_options(std::span<const std::string> words, const Environment& environment) {
    Draft draft;
    CommandLine command_line{words, draft.options};
    const auto arguments = command_line.read();

    const auto variable_file = text_or_empty(environment, config_variable);
    Values values;
    if (!command_line.config_file().empty()) {
        values = from_file(command_line.config_file(), "--config");
    } else if (!variable_file.empty()) {
        values = from_file(variable_file, std::string{config_variable});
    }
    replace(values, from_environment(environment));
    replace(values, arguments);

    for (const auto& rule : rules()) {
        const auto found = values.find(rule.setting.key);
        if (found == values.end()) continue;
        for (const auto& given : found->second) {
            refuse_endless(given);
            rule.apply(draft, given);
        }
    }
    complete(draft);
    if (auto& github = draft.options.github) github->token = text_or_empty(environment, github->token_variable);
    if (draft.options.cache_directory.empty()) draft.options.cache_directory = default_cache(environment);
    draft.options.supervision = supervision(environment);
    draft.options.program_environment = program_environment(environment);
    draft.options.pipeline_secrets = pipeline_secrets(environment);
    return draft.options;
}

std::vector<Setting> known_settings() {
    std::vector<Setting> settings;
    for (const auto& rule : rules())
        settings.push_back(rule.setting);
    return settings;
}

std::vector<std::string> setting_flags(std::string_view command) {
    constexpr std::string_view worker_section = "worker.";
    std::vector<std::string> flags{"config"};
    for (auto key : known_keys()) {
        std::replace(key.begin(), key.end(), '_', '-');
        if (command == "worker" && key.starts_with(worker_section)) key.erase(0, worker_section.size());
        std::replace(key.begin(), key.end(), '.', '-');
        flags.push_back(std::move(key));
    }
    return flags;
}

}  // namespace millrace
