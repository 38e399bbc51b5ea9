#include "cli/candidates.hpp"

#include "cli/usage.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace millrace::cli {

namespace {

using storage::Named;
using Words = std::vector<std::string>;

struct KnownFlag {
    std::string name;
    std::string value;
    std::string meaning;
    bool is_setting = false;
};

// What stands at this place, of this command and verb.
std::optional<Named> named_at(std::string_view command, std::string_view verb, std::string_view place) {
    if (place == "QUEUE") return command == "pipeline" ? Named::pipeline_queue : Named::queue;
    if (place == "KIND") return Named::kind;
    if (place == "REPO") return Named::fork;
    if (place == "GROUP") return Named::group;
    if (place == "TYPE") return Named::event_type;
    if (place != "NAME" || verb == "create") return std::nullopt;  // a new one has a name that nobody knows
    if (command == "queues") return Named::queue;
    return command == "schedules" ? std::optional{Named::schedule} : std::nullopt;
}

std::optional<Named> named_by(std::string_view command, const KnownFlag& flag) {
    if (flag.name == "queue") return command == "pipeline" ? Named::pipeline_queue : Named::queue;
    if (flag.name == "kind") return Named::kind;
    return flag.name == "type" ? std::optional{Named::event_type} : std::nullopt;
}

// "auto|json|human" names what may be given; of a STATE the meaning does.
Words values_of(const KnownFlag& flag) {
    auto values = split(flag.value, "|");
    if (flag.value == "STATE") values = split(flag.meaning, ", ");
    values.erase(
        std::remove_if(values.begin(), values.end(), [](const std::string& value) { return !is_lower(value); }),
        values.end());
    return values;
}

// bash takes `--queue=ma` for three words, and an address with a colon likewise; it replaces the last of them only.
struct Typed {
    Words words;
    std::size_t replaced_from = 0;  // in the last word
};

Typed joined(std::span<const std::string> typed) {
    Typed line;
    bool continues = false;
    for (const auto& word : typed) {
        const bool is_break = !word.empty() && word.find_first_not_of("=:") == std::string::npos;
        if ((is_break || continues) && !line.words.empty()) {
            line.replaced_from = line.words.back().size() + (is_break ? word.size() : 0);
            line.words.back() += word;
        } else {
            line.replaced_from = 0;
            line.words.push_back(word);
        }
        continues = is_break;
    }
    if (line.words.empty()) line.words.emplace_back();
    return line;
}

// Whatever is printed here the shell puts on its line as it is, and may run: a kind can be any text.
bool is_harmless(const std::string& name) {
    return !name.empty() && !name.starts_with('-') && std::all_of(name.begin(), name.end(), [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '_' || letter == '.' || letter == '-' || letter == '/' ||
               letter == '@';
    });
}

class Reader {
public:
    explicit Reader(std::span<const Command> commands) : commands_{commands} { learn_flags(""); }

    void read(const std::string& word) {
        if (awaited_ != nullptr) {
            take_value(*std::exchange(awaited_, nullptr), word);
        } else if (only_words_ || !word.starts_with("-")) {
            if (command_.empty()) {
                command_ = word;
                learn_flags(word);
            } else {
                words_.push_back(word);
            }
        } else if (word == "--") {
            only_words_ = true;
        } else if (const auto* flag = find_flag(word); flag != nullptr && !flag->value.empty()) {
            const auto equals = word.find('=');
            if (equals == std::string::npos) {
                awaited_ = flag;
            } else {
                take_value(*flag, word.substr(equals + 1));
            }
        }
    }

    [[nodiscard]] Candidates complete(const std::string& word) const {
        Candidates found;
        found.typed = word;
        found.database_url = database_url_;
        const auto equals = word.find('=');
        if (awaited_ != nullptr) {
            add_values(*awaited_, found);
        } else if (only_words_ || !word.starts_with("-")) {
            add_words(found);
        } else if (equals == std::string::npos) {
            add_flags(word, found);
        } else if (const auto* flag = find_flag(word); flag != nullptr) {
            add_values(*flag, found);
            found.kept = word.substr(0, equals + 1);
        }
        return found;
    }

private:
    void learn_flags(const std::string& command) {
        flags_.clear();
        flags_.push_back({"help", "", "", false});
        if (const auto* known = find_command(command); known != nullptr) {
            for (const auto& flag : known->flags)
                flags_.push_back({std::string{flag.name}, std::string{flag.value}, std::string{flag.meaning}, false});
        } else if (command.empty()) {
            flags_.push_back({"version", "", "", false});
        }
        const auto settings = known_settings();
        const auto names = setting_flags(command);  // begins with config, which is no setting
        flags_.push_back({names.front(), "FILE", "", true});
        for (std::size_t at = 0; at < settings.size(); ++at) {
            flags_.push_back({names[at + 1], std::string{settings[at].value}, std::string{settings[at].meaning}, true});
        }
    }

    [[nodiscard]] const Command* find_command(std::string_view name) const {
        const auto found = std::find_if(commands_.begin(), commands_.end(),
                                        [&](const Command& command) { return command.name == name; });
        return found == commands_.end() ? nullptr : &*found;
    }

    [[nodiscard]] const KnownFlag* find_flag(const std::string& word) const {
        if (!word.starts_with("--")) return nullptr;
        const auto name = word.substr(2, word.find('=') - 2);
        const auto found =
            std::find_if(flags_.begin(), flags_.end(), [&](const KnownFlag& flag) { return flag.name == name; });
        return found == flags_.end() ? nullptr : &*found;
    }

    void take_value(const KnownFlag& flag, const std::string& value) {
        if (flag.name == "database-url") database_url_ = value;
    }

    void add_values(const KnownFlag& flag, Candidates& found) const {
        found.words = values_of(flag);
        found.names = named_by(command_, flag);
        found.is_file = flag.value == "FILE" || flag.value == "DIRECTORY";
    }

    void add_words(Candidates& found) const {
        if (command_.empty() || (command_ == "help" && words_.empty())) {
            for (const auto& command : commands_)
                found.words.emplace_back(command.name);
            if (command_.empty()) found.words.emplace_back("help");
            if (!command_.empty()) found.words.insert(found.words.end(), {"settings", "man"});
            return;
        }
        const auto* command = find_command(command_);
        if (command == nullptr) return;
        if (words_.empty()) found.words = verbs_of(*command);
        for (const auto& form : forms_of(*command)) {
            const bool is_said =
                !words_.empty() && std::find(form.verbs.begin(), form.verbs.end(), words_.front()) != form.verbs.end();
            if (is_said || form.verbs.empty()) add_place(form, is_said ? 1 : 0, found);
        }
    }

    // `verb_words` come before the first place.
    void add_place(const Form& form, std::size_t verb_words, Candidates& found) const {
        if (form.places.empty()) return;
        auto at = words_.size() - verb_words;
        if (at >= form.places.size()) {
            if (!form.repeats) return;
            at = form.places.size() - 1;
        }
        const auto& place = form.places[at];
        found.is_file = found.is_file || place.starts_with("FILE");
        if (const auto names = named_at(command_, verb_words == 0 ? "" : words_.front(), place)) found.names = names;
    }

    // Those of other verbs are left out, and settings, which are many, until one has begun to be typed.
    void add_flags(const std::string& word, Candidates& found) const {
        const auto* command = find_command(command_);
        const auto verbs = command == nullptr ? Words{} : verbs_of(*command);
        const bool wants_settings = command_.empty() || command_ == "worker" || command_ == "serve" || word.size() > 2;
        for (const auto& flag : flags_) {
            const auto verb = flag.meaning.substr(0, flag.meaning.find(": "));
            const bool is_of_other_verb =
                !words_.empty() && verb != words_.front() && std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
            if (!is_of_other_verb && (wants_settings || !flag.is_setting)) found.words.push_back("--" + flag.name);
        }
    }

    std::span<const Command> commands_;
    std::vector<KnownFlag> flags_;
    std::string command_;
    Words words_;
    std::string database_url_;
    const KnownFlag* awaited_ = nullptr;  // its value comes next
    bool only_words_ = false;
};

}  // namespace

Candidates candidates_for(std::span<const std::string> typed, std::span<const Command> commands) {
    const auto line = joined(typed);
    Reader reader{commands};
    for (std::size_t at = 0; at + 1 < line.words.size(); ++at)
        reader.read(line.words[at]);
    auto found = reader.complete(line.words.back());
    found.replaced_from = line.replaced_from;
    return found;
}

std::vector<std::string> fitting(const Candidates& candidates, const std::vector<std::string>& names) {
    auto words = candidates.words;
    std::copy_if(names.begin(), names.end(), std::back_inserter(words), is_harmless);
    std::vector<std::string> parts;
    for (const auto& word : words) {
        const auto whole = candidates.kept + word;
        const bool fits = whole.starts_with(candidates.typed) && whole.size() > candidates.replaced_from;
        if (fits) parts.push_back(whole.substr(candidates.replaced_from));
    }
    return parts;
}

}  // namespace millrace::cli
