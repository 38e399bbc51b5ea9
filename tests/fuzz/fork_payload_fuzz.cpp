// The payload of forks.sync: JSON from any producer.
//
// Property: what is accepted is what the JSON says, and its branch is one that git takes for a branch; a refusal names
// the key in one harmless line.

#include "adapters/git_names.hpp"
#include "fuzz/input.hpp"
#include "fuzz/json_reader.hpp"
#include "fuzz/text.hpp"
#include "handlers/forks/payload.hpp"

namespace millrace::fuzz {

void try_input(std::string_view bytes) {
    const auto read = handlers::forks::read_fork_branch(bytes);
    if (const auto* problem = std::get_if<handlers::forks::PayloadProblem>(&read)) {
        const auto& text = problem->text;
        require(text.starts_with("payload key \"") || text.starts_with("the payload "), "a refusal names the key",
                text);
        require(is_utf8(text) && is_harmless(text), "a refusal is one harmless line", text);
        return;
    }
    const auto& wanted = std::get<storage::ForkBranch>(read);
    require(json_string(bytes, "fork") == wanted.fork, "the fork is the one in the JSON", wanted.fork);
    require(json_string(bytes, "branch") == wanted.branch, "the branch is the one in the JSON", wanted.branch);
    require(!adapters::branch_problem(wanted.branch), "the branch is a branch", wanted.branch);
    require(wanted.fork.size() <= 201 && wanted.fork.find('\0') == wanted.fork.npos, "the fork's name is bounded");
    const auto run = wanted.run ? std::to_string(*wanted.run) : "null";
    require(json_member(bytes, "run").value_or("null") == run, "the run is the number in the JSON", run);
}

}  // namespace millrace::fuzz
