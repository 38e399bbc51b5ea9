#pragma once
// Settings given as a person gives them, and what came of it in one text that can be compared.

#include "options.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::fuzz {

struct Refused {
    std::string text;
};
using Reading = std::variant<Options, Refused>;

[[nodiscard]] Reading read_settings(const std::vector<std::string>& words, const Environment& environment = {});

// Every value of them, in a line of its own.
[[nodiscard]] std::string text_of(const Options& options);

// The limits that the rest of the program relies on.
void require_sound(const Options& options);

// That libpq finds none in the address of the database.
void require_no_password(const Options& options);

// As the command line shows it: at most two lines, which no value can break or make steer the terminal.
void require_fit_complaint(std::string_view problem);

// A settings file in memory, with this mode.
class SettingsFile {
public:
    SettingsFile(std::string_view text, unsigned mode);
    ~SettingsFile();
    SettingsFile(const SettingsFile&) = delete;
    SettingsFile& operator=(const SettingsFile&) = delete;
    [[nodiscard]] std::string path() const;

private:
    int descriptor_;
};

// Whether an input names no file of this host's devices and processes, which must not even be opened.
[[nodiscard]] bool names_no_device(std::string_view text);

}  // namespace millrace::fuzz
