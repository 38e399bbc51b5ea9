#pragma once
// What somebody probably meant by a word that is not known.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::core {

// The known word that begins with this one; else the one that the fewest typing errors lead to (Damerau-Levenshtein,
// optimal string alignment), but nothing when even that is too far off to be meant: more than a third of the word, and
// never more than three.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace millrace::core
