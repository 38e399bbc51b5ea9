#pragma once
// The lines of a command's usage, as help prints them, taken apart: which verbs there are, and what comes after each.
//
// Pure. Thread rule: any thread.

#include "cli/command.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

// One line of a usage: "millrace queues pause|resume NAME...".
struct Form {
    std::vector<std::string> verbs;   // pause, resume; none: a command without verbs
    std::vector<std::string> places;  // NAME
    bool repeats = false;             // the last of them
};

[[nodiscard]] std::vector<Form> forms_of(const Command& command);
[[nodiscard]] std::vector<std::string> verbs_of(const Command& command);

[[nodiscard]] std::vector<std::string> split(std::string_view text, std::string_view separator);
[[nodiscard]] bool is_lower(std::string_view word);  // letters, dashes and bars: what is typed as it stands

}  // namespace millrace::cli
