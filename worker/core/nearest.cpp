#include "core/nearest.hpp"

#include <algorithm>
#include <utility>

namespace millrace::core {

namespace {

constexpr std::size_t longest_word = 100;  // the distance costs the product of both lengths

std::size_t distance(std::string_view from, std::string_view to) {
    std::vector<std::vector<std::size_t>> cost(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
    for (std::size_t row = 0; row <= from.size(); ++row)
        cost[row][0] = row;
    for (std::size_t column = 0; column <= to.size(); ++column)
        cost[0][column] = column;
    for (std::size_t row = 1; row <= from.size(); ++row) {
        for (std::size_t column = 1; column <= to.size(); ++column) {
            const std::size_t changed = from[row - 1] == to[column - 1] ? 0 : 1;
            auto least =
                std::min({cost[row - 1][column] + 1, cost[row][column - 1] + 1, cost[row - 1][column - 1] + changed});
            const bool swapped =
                row > 1 && column > 1 && from[row - 1] == to[column - 2] && from[row - 2] == to[column - 1];
            if (swapped) least = std::min(least, cost[row - 2][column - 2] + 1);
            cost[row][column] = least;
        }
    }
    return cost[from.size()][to.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
    if (word.empty() || word.size() > longest_word) return std::nullopt;
    const auto begun = std::find_if(known.begin(), known.end(),
                                    [&](const std::string& candidate) { return candidate.starts_with(word); });
    if (begun != known.end()) return *begun;
    const auto tolerated = std::clamp<std::size_t>(word.size() / 3, 1, 3);
    std::optional<std::string> best;
    auto least = tolerated + 1;
    for (const auto& candidate : known) {
        const auto errors = distance(word, std::string_view{candidate}.substr(0, longest_word));
        if (errors < least) {
            least = errors;
            best = candidate;
        }
    }
    return best;
}

}  // namespace millrace::core
