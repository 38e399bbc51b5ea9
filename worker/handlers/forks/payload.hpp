#pragma once
// The payload of `forks.sync`:
//
//     {"fork": "org/name",
//      "branch": "main",
//      "run": 17}                 optional: the digest run that it belongs to
//
// A key that is not known is refused, because a misspelt one would otherwise be lost in silence.

#include "storage/forks_store.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace millrace::handlers::forks {

// Names the key, what is wrong with it and the remedy.
struct PayloadProblem {
    std::string text;
};

std::variant<storage::ForkBranch, PayloadProblem> read_fork_branch(std::string_view payload);

}  // namespace millrace::handlers::forks
