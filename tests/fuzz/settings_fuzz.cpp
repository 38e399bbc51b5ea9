// One setting and its value a line, as a person would write them in a file, in variables and on the command line. A
// value that ends with two tildes goes on like that for a long while.
//
// Property: the three places agree on what a value means, or all refuse it; a refusal names a setting that was given,
// in one harmless line, and repeats no password; one that libpq would find in a URL is not accepted on the command
// line.

#include "fuzz/input.hpp"
#include "fuzz/settings_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace millrace::fuzz {
namespace {

constexpr std::string_view secret{"s3cr3t-"};

struct Given {
    std::string key;  // as in the file, with its section
    std::string value;
};

// A value that means the same in every place: a file ends it with its line and trims it, a variable that is empty is
// not set, and one list stands for several queues.
bool is_plain(const Given& given) {
    const auto& value = given.value;
    if (given.key == "smtp.token") return false;  // of the environment only
    if (value.empty() || value.find_first_of(std::string_view{"#\0", 2}) != value.npos) return false;
    if (std::isspace(static_cast<unsigned char>(value.front())) != 0) return false;
    if (std::isspace(static_cast<unsigned char>(value.back())) != 0) return false;
    return given.key != "worker.queue" || value.find(',') == value.npos;
}

void prolong(std::string& value) {
    constexpr std::size_t long_bytes = 40'000;
    const auto piece = value.substr(0, value.size() - 2);
    while (value.size() < long_bytes)
        value.insert(0, piece.empty() ? "~" : piece);
}

std::vector<Given> settings_in(std::string_view text) {
    std::vector<Given> settings;
    std::set<std::string> seen;
    const auto known = known_settings();
    for (const auto line : split(text, '\n')) {
        const auto blank = std::min(line.find(' '), line.size());
        Given given{std::string{line.substr(0, blank)}, std::string{line.substr(std::min(blank + 1, line.size()))}};
        const bool is_known =
            std::any_of(known.begin(), known.end(), [&](const auto& s) { return s.key == given.key; });
        if (!is_known || !is_plain(given)) continue;
        if (given.key != "worker.queue" && !seen.insert(given.key).second) continue;
        if (given.value.ends_with("~~")) prolong(given.value);
        if (given.key == "smtp.password" || given.key == "unsubscribe.secrets") given.value.insert(0, secret);
        settings.push_back(std::move(given));
    }
    return settings;
}

std::string variable_of(const std::string& key) {
    std::string name{"MILLRACE_"};
    for (const char letter : key)
        name += letter == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    return name;
}

Reading from_environment(const std::vector<Given>& settings) {
    Environment environment;
    for (const auto& [key, value] : settings) {
        auto& variable = environment[variable_of(key)];
        variable += variable.empty() ? value : "," + value;
    }
    return read_settings({"worker"}, environment);
}

Reading from_command_line(const std::vector<Given>& settings) {
    std::vector<std::string> words{"worker"};
    bool is_joined = false;  // --flag value and --flag=value in turn
    for (const auto& [key, value] : settings) {
        if (is_joined) {
            words.push_back(fmt::format("--{}={}", key, value));
        } else {
            auto flag = "--" + key;
            std::replace(flag.begin() + 2, flag.end(), '.', '-');
            std::replace(flag.begin() + 2, flag.end(), '_', '-');
            words.insert(words.end(), {flag, value});
        }
        is_joined = !is_joined;
    }
    return read_settings(words);
}

Reading from_file(const std::vector<Given>& settings) {
    std::string text;
    for (const auto& [key, value] : settings) {
        const auto dot = key.find('.');
        text += "[" + key.substr(0, dot) + "]\n" + key.substr(dot + 1) + " = " + value + "\n";
    }
    const SettingsFile file{text, 0600U};
    return read_settings({"worker", "--config", file.path()});
}

void require_fit(const Reading& reading, const std::vector<Given>& settings) {
    if (const auto* options = std::get_if<Options>(&reading)) {
        require_sound(*options);
        return;
    }
    const auto& text = std::get<Refused>(reading).text;
    require(std::any_of(settings.begin(), settings.end(),
                        [&](const Given& given) { return text.find(variable_of(given.key)) == 0; }),
            "a refusal names a setting that was given", text);
    require(text.find(secret) == text.npos, "a refusal repeats no password", text);
    require_fit_complaint(text);
}

void require_agreement(const Reading& one, const Reading& other) {
    const auto* options = std::get_if<Options>(&one);
    const auto* others = std::get_if<Options>(&other);
    const auto& refusal = options != nullptr ? other : one;
    require((options == nullptr) == (others == nullptr), "what one place refuses, all do",
            std::holds_alternative<Refused>(refusal) ? std::get<Refused>(refusal).text : "");
    if (options != nullptr) require(text_of(*options) == text_of(*others), "a value means the same", text_of(*options));
}

}  // namespace

void try_input(std::string_view bytes) {
    if (!names_no_device(bytes) || bytes.find(secret) != bytes.npos) return;
    const auto settings = settings_in(bytes);
    const auto variables = from_environment(settings);
    require_fit(variables, settings);
    require_agreement(variables, from_file(settings));
    const auto words = from_command_line(settings);
    const auto* refused = std::get_if<Refused>(&words);
    const bool is_secret = refused != nullptr && refused->text.find("ps shows") != std::string::npos;
    if (!is_secret) require_agreement(variables, words);
    if (refused == nullptr) require_no_password(std::get<Options>(words));
}

}  // namespace millrace::fuzz
