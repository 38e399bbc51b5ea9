// Misspelt words: flags, settings, kinds, keys of payloads.
//
// Property: only a known word is suggested, no further off than three typing errors, and one typing error always finds
// a suggestion.

#include "core/nearest.hpp"
#include "fuzz/input.hpp"

#include <algorithm>
#include <utility>

namespace millrace::fuzz {
namespace {

const std::vector<std::string> known{"queue", "kind", "yes", "dry-run", "worker-lease", "worker-poll-interval", "to"};

void require_sensible(std::string_view word) {
    const auto meant = core::nearest(word, known);
    if (!meant) return;
    require(std::find(known.begin(), known.end(), *meant) != known.end(), "only a known word is suggested", *meant);
    const auto surplus = std::max(word.size(), meant->size()) - std::min(word.size(), meant->size());
    require(meant->starts_with(word) || surplus <= 3, "a suggestion is at most three errors off", *meant);
}

// Position and kind of the error, and the wrong letter.
std::string with_one_error(std::string word, unsigned position, unsigned kind, char letter) {
    const auto at = position % word.size();
    switch (kind % 4) {
        case 0:
            return word.erase(at, 1);
        case 1:
            return word.insert(at, 1, letter);
        case 2:
            return word.replace(at, 1, 1, letter);
        default:
            if (at > 0) std::swap(word[at - 1], word[at]);
            return word;
    }
}

}  // namespace

void try_input(std::string_view bytes) {
    require_sensible(bytes);
    const auto& word = known[take_byte(bytes) % known.size()];
    const auto position = take_byte(bytes);
    const auto kind = take_byte(bytes);
    const auto misspelt = with_one_error(word, position, kind, static_cast<char>(take_byte(bytes)));
    require_sensible(misspelt);
    require(core::nearest(misspelt, known).has_value(), "one typing error finds a suggestion", misspelt);
}

}  // namespace millrace::fuzz
