#pragma once
// What may come next on a command line that is being typed. Verbs and words are read from the usage that help prints,
// flags from the commands' own, so that what is completed is what is documented.
//
// Pure. Thread rule: any thread.

#include "cli/command.hpp"
#include "storage/known_names.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace millrace::cli {

struct Candidates {
    std::vector<std::string> words;       // all that could stand there, whatever has been typed of it
    std::optional<storage::Named> names;  // and the names of these, which the database knows
    bool is_file = false;                 // or the name of a file, which the shell knows
    std::string typed;                    // the last word so far
    std::string kept;                     // what the candidates come after, as "--queue="
    std::size_t replaced_from = 0;        // of the last word the shell replaces what comes from there on
    std::string database_url;             // as it was typed; empty: it was not
};

// `typed` is everything behind the program's name; the last word is the one to complete, and may be empty.
[[nodiscard]] Candidates candidates_for(std::span<const std::string> typed, std::span<const Command> commands);

// What the shell may put in place of what was typed. Of the names those are left out that a shell would not take as
// they are.
[[nodiscard]] std::vector<std::string> fitting(const Candidates& candidates, const std::vector<std::string>& names);

}  // namespace millrace::cli
