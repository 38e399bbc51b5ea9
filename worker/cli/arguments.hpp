#pragma once
// A command's own words and flags, in any order: `--flag value`, `--flag=value`, `--switch`; `--` ends the flags.

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

struct Flag {
    std::string_view name;     // without its dashes
    std::string_view value;    // what is expected, in capitals; empty: a switch
    std::string_view meaning;  // one line
};

// The command line makes no sense; the text says what is wrong and what was probably meant.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class Arguments {
public:
    // `settings` are flags that are known too, though already dealt with: for suggestions. Throws UsageError.
    Arguments(std::span<const std::string> words, std::span<const Flag> flags,
              const std::vector<std::string>& settings = {});

    [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }
    [[nodiscard]] bool has(std::string_view flag) const { return values_.contains(flag); }
    [[nodiscard]] std::optional<std::string> value(std::string_view flag) const;

    // Throws UsageError when there is a flag besides these, which `whose` would do nothing with.
    void allow_only(std::string_view whose, std::span<const std::string> flags) const;

    // Throw UsageError when the value is not of that kind, or out of range.
    [[nodiscard]] std::optional<int> number(std::string_view flag, int least, int most) const;
    [[nodiscard]] std::optional<std::chrono::milliseconds> duration(std::string_view flag) const;

private:
    std::vector<std::string> words_;
    std::map<std::string, std::string, std::less<>> values_;
};

// "list" or one of `known`; throws UsageError with the nearest of them.
void require_known(std::string_view what, const std::string& word, const std::vector<std::string>& known);

}  // namespace millrace::cli
