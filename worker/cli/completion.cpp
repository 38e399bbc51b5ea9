#include "cli/completion.hpp"

#include "cli/candidates.hpp"

#include <ostream>
#include <span>

namespace millrace::cli {

namespace {

// A database that is away must not hold up who types: hence the time limit. One that is busy does not either, by
// known_names; PGOPTIONS would be refused by a pooler. FILE stands for what the shell knows better; no word of ours is
// in capitals.
constexpr std::string_view bash_script = R"(# Completion of millrace for bash: source <(millrace completion bash)
_millrace() {
    local IFS=$'\n'
    mapfile -t COMPREPLY < <(
        PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-2} \
            "${COMP_WORDS[0]}" completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [ "${COMPREPLY[*]}" = FILE ]; then
        compopt -o default
        COMPREPLY=()
    fi
}
complete -F _millrace millrace
)";

// As a file of that name in $fpath it is called by compinit, and sourced it has to make itself known.
constexpr std::string_view zsh_script = R"(#compdef millrace
# Completion of millrace for zsh: source <(millrace completion zsh), after compinit
_millrace() {
    local -a found
    found=("${(@f)$(
        PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-2} \
            "${(Q)words[1]}" completion words -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ "$found" == FILE ]]; then
        _files
    elif [[ -n "$found" ]]; then
        compadd -a found
    fi
}
if [[ "${funcstack[1]}" == _millrace ]]; then
    _millrace "$@"
else
    compdef _millrace millrace
fi
)";

Exit print_words(const Invocation& invocation, std::span<const std::string> typed) {
    const auto candidates = candidates_for(typed, invocation.commands);
    std::vector<std::string> names;
    if (candidates.names) {
        const auto& url = candidates.database_url;
        const storage::SessionFactory sessions{url.empty() ? invocation.options.database_url : url};
        const auto session = sessions.open("completion");
        names = storage::known_names(*session, *candidates.names);
    }
    const auto words = fitting(candidates, names);
    for (const auto& word : words)
        invocation.console.out << word << '\n';
    if (words.empty() && candidates.is_file) invocation.console.out << "FILE\n";
    return words.empty() && !candidates.is_file ? Exit::nothing : Exit::done;
}

Exit run(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    if (words.empty()) throw UsageError{"completion needs a shell: bash or zsh"};
    require_known("verb", words.front(), {"bash", "zsh", "words"});
    if (words.front() == "words") return print_words(invocation, std::span{words}.subspan(1));
    if (words.size() > 1) throw UsageError{"completion " + words.front() + " takes no words"};
    invocation.console.out << (words.front() == "bash" ? bash_script : zsh_script);
    return Exit::done;
}

}  // namespace

Command completion_command() {
    return {.name = "completion",
            .summary = "prints what lets bash or zsh complete commands, flags and names",
            .usage =
                "millrace completion bash|zsh\n"
                "millrace completion words -- [WORD...]",
            .details =
                "source <(millrace completion bash), in ~/.bashrc, or zsh in ~/.zshrc after compinit. words is what\n"
                "these scripts ask: what may come in place of the last word, a line each; FILE: the name of a file.\n"
                "Names of queues, kinds, schedules, forks and the like come from the database.",
            .flags = {},
            .run = run};
}

}  // namespace millrace::cli
