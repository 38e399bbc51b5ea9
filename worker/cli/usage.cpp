#include "cli/usage.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

namespace millrace::cli {

namespace {

bool is_upper(std::string_view word) {
    return !word.empty() && word.front() >= 'A' && word.front() <= 'Z';
}

int depth_after(std::string_view word, int depth) {
    return depth +
           static_cast<int>(std::count(word.begin(), word.end(), '[') - std::count(word.begin(), word.end(), ']'));
}

// "[NAME...]" is NAME.
std::string without_brackets(std::string word) {
    word.erase(std::remove_if(word.begin(), word.end(), [](char letter) { return letter == '[' || letter == ']'; }),
               word.end());
    if (word.ends_with("...")) word.erase(word.size() - 3);
    return word;
}

Form form_of(const std::string& line) {
    Form form;
    std::istringstream stream{line};
    std::string word;
    stream >> word >> word;  // the program and the command
    int depth = 0;
    bool is_value = false;
    for (bool is_first = true; stream >> word && word != "<"; is_first = false) {
        if (depth > 0 || word.starts_with("[-")) {  // a flag, perhaps with a value, that may be left out
            depth = depth_after(word, depth);
            continue;
        }
        const auto bare = without_brackets(word);
        if (word.starts_with("--")) {
            is_value = true;
        } else if (is_first && is_lower(bare)) {
            form.verbs = split(bare, "|");
        } else if (is_upper(bare) && !std::exchange(is_value, false)) {
            form.places.push_back(bare);
            form.repeats = word.find("...") != std::string::npos;
        }
    }
    return form;
}

}  // namespace

std::vector<std::string> split(std::string_view text, std::string_view separator) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= text.size();) {
        const auto end = std::min(text.find(separator, from), text.size());
        parts.emplace_back(text.substr(from, end - from));
        from = end + separator.size();
    }
    return parts;
}

bool is_lower(std::string_view word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), [](char letter) {
        return (letter >= 'a' && letter <= 'z') || letter == '-' || letter == '|';
    });
}

std::vector<Form> forms_of(const Command& command) {
    std::vector<Form> forms;
    for (const auto& line : split(command.usage, "\n")) {
        if (line.starts_with("millrace ")) forms.push_back(form_of(line));
    }
    return forms;
}

std::vector<std::string> verbs_of(const Command& command) {
    std::vector<std::string> verbs;
    for (const auto& form : forms_of(command)) {
        for (const auto& verb : form.verbs) {
            if (std::find(verbs.begin(), verbs.end(), verb) == verbs.end()) verbs.push_back(verb);
        }
    }
    return verbs;
}

}  // namespace millrace::cli
