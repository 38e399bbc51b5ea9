#pragma once
// What git may be told from outside: names of branches and addresses of repositories. And what of git's own words may
// be repeated.
//
// Git reads an argument that begins with a hyphen as an option, and an address like ext::… as a command to run. Neither
// gets that far.

#include <optional>
#include <string>
#include <string_view>

namespace millrace::adapters {

// Why git would refuse or misread it as the name of a branch, by the rules of git-check-ref-format; nothing when it is
// one.
[[nodiscard]] std::optional<std::string> branch_problem(std::string_view name);

// Whether a branch's name fits a pattern, in which * stands for any text, slashes included.
[[nodiscard]] bool fits(std::string_view name, std::string_view glob);

// Why it is not the address of a repository that this program works with.
[[nodiscard]] std::optional<std::string> remote_problem(std::string_view url);

// The same text with the user and password of every address in it replaced by ***.
[[nodiscard]] std::string without_credentials(std::string_view text);

}  // namespace millrace::adapters
