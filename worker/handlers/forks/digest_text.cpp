#include "handlers/forks/digest_text.hpp"

#include "adapters/github.hpp"
#include "core/html.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace millrace::handlers::forks {
namespace {

using nlohmann::json;

constexpr std::size_t most_items = 100;         // of a section; fewer when that is too long
constexpr std::size_t most_detail_bytes = 300;  // of a text from outside
constexpr std::size_t most_org_bytes = 400;

struct Item {
    std::string line;
    std::vector<std::string> below;
};
struct Section {
    std::string title;  // empty: a line by itself
    std::vector<Item> items;
};
struct Counts {
    std::size_t sync_failures = 0;
    std::size_t distribution_failures = 0;
    std::size_t diverged = 0;
    std::size_t migrations = 0;
};

// Characters that turn the direction of those behind them, U+202A to U+202E and U+2066 to U+2069: what stands in the
// line would not be what is read.
void drop_turns(std::string& line) {
    for (std::size_t at = 0; at + 2 < line.size();) {
        const auto second = static_cast<unsigned char>(line[at + 1]);
        const auto third = static_cast<unsigned char>(line[at + 2]);
        const bool turns = line[at] == '\xe2' && ((second == 0x80 && third >= 0xaa && third <= 0xae) ||
                                                  (second == 0x81 && third >= 0xa6 && third <= 0xa9));
        if (turns) {
            line.erase(at, 3);
        } else {
            ++at;
        }
    }
}

// One line, whatever it was.
std::string line_of(std::string_view text, std::size_t limit = most_detail_bytes) {
    auto line = core::printable(text, limit);
    drop_turns(line);
    std::replace_if(
        line.begin(), line.end(),
        [](char letter) { return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f; }, ' ');
    return line;
}

std::string text_in(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? line_of(found->get_ref<const std::string&>()) : "";
}
std::int64_t number_in(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}
const json& list_in(const json& object, const char* key) {
    static const json none = json::array();
    const auto found = object.find(key);
    return found != object.end() && found->is_array() ? *found : none;
}

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", number, number == 1 ? one : many);
}

std::string name_of(const json& branch) {
    return fmt::format("{} {}", text_in(branch, "fork"), text_in(branch, "branch"));
}

bool is_failure(const std::string& state) {
    static const std::set<std::string> others{"updated", "current", "skipped", "pending"};
    return !others.contains(state);
}

Section sync_failures(const json& branches) {
    Section section{"Sync failures", {}};
    for (const auto& branch : branches) {
        const auto state = text_in(branch, "state");
        if (!is_failure(state)) continue;
        auto line = fmt::format("{}: {}", name_of(branch), state);
        if (const auto detail = text_in(branch, "detail"); !detail.empty()) line += fmt::format(": {}", detail);
        const auto days = number_in(branch, "failing_days");
        if (days > 0) line += fmt::format(" (failing for {})", counted(days, "day", "days"));
        section.items.push_back({std::move(line), {}});
    }
    return section;
}

Section diverged(const json& branches) {
    Section section{"Diverged", {}};
    for (const auto& branch : branches) {
        if (text_in(branch, "divergence") != "diverged") continue;
        const auto own = number_in(branch, "unmanaged");
        Item item{fmt::format("{}: {} of its own", name_of(branch), counted(own, "commit", "commits")), {}};
        for (const auto& subject : list_in(branch, "subjects")) {
            if (subject.is_string()) item.below.push_back(line_of(subject.get_ref<const std::string&>()));
        }
        const auto more = own - static_cast<std::int64_t>(item.below.size());
        if (more > 0 && !item.below.empty()) item.below.push_back(fmt::format("and {} more", more));
        section.items.push_back(std::move(item));
    }
    return section;
}

// Of a step of the run: it ended in another way than it should.
bool has_failed(const json& step) {
    static const std::set<std::string> others{"created", "updated",    "unchanged", "skipped", "done",
                                              "rebased", "up to date", "found",     "pending"};
    return !others.contains(text_in(step, "state"));
}

std::string why_failed(const std::string& name, const json& step) {
    const auto detail = text_in(step, "detail");
    return fmt::format("{}: {}{}", name, text_in(step, "state"), detail.empty() ? "" : ": " + detail);
}

Section given_up(const json& runs) {
    Section section{"Earlier runs that came to no end", {}};
    for (const auto& run : runs) {
        const auto id = number_in(run, "run");
        const auto job = number_in(run, "job");  // 0: forgotten by now
        const auto why = job == 0 ? "" : fmt::format("; its job {} is a dead letter or was taken back", job);
        section.items.push_back(
            {fmt::format("run {}{}: millrace forks digest {} --preview has what it found", id, why, id), {}});
    }
    return section;
}

Section distribution_failures(const json& distributions) {
    Section section{"Distribution failures", {}};
    for (const auto& each : distributions) {
        if (!has_failed(each)) continue;
        const auto detail = text_in(each, "detail");
        const auto why = detail.empty() ? text_in(each, "state") : detail;
        section.items.push_back({fmt::format("{}: {}", text_in(each, "fork"), why), {}});
    }
    return section;
}

Section rebase_failures(const json& rebases) {
    Section section{"Rebase failures", {}};
    for (const auto& each : rebases) {
        if (!has_failed(each)) continue;
        const auto branch = text_in(each, "branch");  // none: the fork as a whole
        section.items.push_back({why_failed(text_in(each, "fork") + (branch.empty() ? "" : " " + branch), each), {}});
    }
    return section;
}

Section search_failures(const json& searches) {
    Section section{"Search failures", {}};
    for (const auto& each : searches) {
        if (!has_failed(each)) continue;
        section.items.push_back(
            {why_failed(fmt::format("{} {}", text_in(each, "upstream"), text_in(each, "branch")), each), {}});
    }
    return section;
}

Section distributed(const json& distributions) {
    Section section{"Distributed", {}};
    for (const auto& each : distributions) {
        const auto state = text_in(each, "state");
        if (state != "created" && state != "updated") continue;
        const auto path = text_in(each, "detail");
        section.items.push_back(
            {fmt::format("{}: {}{}", text_in(each, "fork"), state, path.empty() ? "" : " " + path), {}});
    }
    return section;
}

Section rebased(const json& rebases) {
    Section section{"Rebased", {}};
    for (const auto& each : rebases) {
        if (text_in(each, "state") != "rebased") continue;
        const auto how = text_in(each, "detail");
        section.items.push_back({name_of(each) + (how.empty() ? "" : ": " + how), {}});
    }
    return section;
}

Section synced(const json& branches) {
    Section section{"Synced", {}};
    for (const auto& branch : branches) {
        const auto how = text_in(branch, "detail");
        const bool is_perhaps = text_in(branch, "state") == "current" && how.starts_with("perhaps ");
        if (text_in(branch, "state") != "updated" && !is_perhaps) continue;
        section.items.push_back({name_of(branch) + (how.empty() ? "" : fmt::format(": {}", how)), {}});
    }
    return section;
}

Section migrations(const json& found) {
    Section section{"Migrations", {}};
    for (const auto& each : found) {
        section.items.push_back(
            {fmt::format("{}#{}: {}", text_in(each, "upstream"), number_in(each, "number"), text_in(each, "title")),
             {}});
    }
    return section;
}

// From where on a detail tells that a repository, or its upstream, was found by another name; npos: it does not.
std::size_t moved_at(std::string_view detail) {
    return std::min(detail.rfind(adapters::moved_words), detail.rfind(adapters::moved_upstream_words));
}

// Repositories that were found by another name than theirs, or whose upstreams were, once each.
Section moved(const json& branches) {
    Section section{"Moved", {}};
    std::set<std::string> told;
    for (const auto& branch : branches) {
        const auto detail = branch.value("detail", json{});
        if (!detail.is_string()) continue;
        const auto& text = detail.get_ref<const std::string&>();
        const auto at = moved_at(text);
        const auto fork = text_in(branch, "fork");
        if (at == text.npos || !told.insert(fork).second) continue;
        section.items.push_back({fmt::format("{}: {}", fork, line_of(std::string_view{text}.substr(at))), {}});
    }
    return section;
}

Section overlay(const json& branches) {
    Section section{"Managed overlay", {}};
    for (const auto& branch : branches) {
        if (text_in(branch, "divergence") == "managed overlay") section.items.push_back({name_of(branch), {}});
    }
    return section;
}

Section counts_of(const json& branches) {
    std::vector<std::pair<std::string, std::int64_t>> states{
        {"updated", 0}, {"current", 0}, {"skipped", 0}, {"failed", 0}, {"pending", 0}};
    std::set<std::string> forks;
    for (const auto& branch : branches) {
        forks.insert(text_in(branch, "fork"));
        const auto state = text_in(branch, "state");
        const auto counted_as = is_failure(state) ? std::string{"failed"} : state;
        std::find_if(states.begin(), states.end(), [&](const auto& known) {
            return known.first == counted_as;
        })->second++;
    }
    std::vector<std::string> parts;
    for (const auto& [state, number] : states) {
        if (number > 0) parts.push_back(fmt::format("{} {}", number, state));
    }
    return {"",
            {{fmt::format("{} of {}: {}", counted(static_cast<std::int64_t>(branches.size()), "branch", "branches"),
                          counted(static_cast<std::int64_t>(forks.size()), "fork", "forks"), fmt::join(parts, ", ")),
              {}}}};
}

std::string subject_of(const json& content, const Counts& counts) {
    auto subject =
        fmt::format("{} digest {}", line_of(text_in(content, "org"), most_org_bytes), text_in(content, "date"));
    if (counts.sync_failures > 0) subject += fmt::format(" — ⚠️ {} sync fail", counts.sync_failures);
    if (counts.distribution_failures > 0)
        subject += fmt::format(" — ⚠️ {} dist fail", counts.distribution_failures);
    if (counts.diverged > 0) subject += fmt::format(" — ⚠️ {} diverged", counts.diverged);
    if (counts.migrations > 0) subject += fmt::format(" — {} MIG", counts.migrations);
    return subject;
}

std::string text_of(const Section& section, std::size_t limit) {
    if (section.title.empty()) return section.items.front().line + "\n";
    auto text = fmt::format("\n{}\n", section.title);
    const auto shown = std::min(limit, section.items.size());
    for (std::size_t place = 0; place < shown; ++place) {
        text += fmt::format("  {}\n", section.items[place].line);
        for (const auto& line : section.items[place].below)
            text += fmt::format("    - {}\n", line);
    }
    if (shown < section.items.size()) text += fmt::format("  and {} more\n", section.items.size() - shown);
    return text;
}

std::string html_of(const Section& section, std::size_t limit) {
    if (section.title.empty()) return fmt::format("<p>{}</p>\n", core::html_escaped(section.items.front().line));
    auto html = fmt::format("<h2>{}</h2>\n<ul>\n", core::html_escaped(section.title));
    const auto shown = std::min(limit, section.items.size());
    for (std::size_t place = 0; place < shown; ++place) {
        html += fmt::format("<li>{}", core::html_escaped(section.items[place].line));
        if (!section.items[place].below.empty()) html += "<ul>";
        for (const auto& line : section.items[place].below)
            html += fmt::format("<li>{}</li>", core::html_escaped(line));
        if (!section.items[place].below.empty()) html += "</ul>";
        html += "</li>\n";
    }
    if (shown < section.items.size()) html += fmt::format("<li>and {} more</li>\n", section.items.size() - shown);
    return html + "</ul>\n";
}

storage::DigestText written(const json& content, const Counts& counts, const std::vector<Section>& sections,
                            std::size_t limit) {
    storage::DigestText digest;
    digest.subject = subject_of(content, counts);
    digest.failures = static_cast<int>(counts.sync_failures + counts.distribution_failures);
    digest.text = digest.subject + "\n\n";
    digest.html = fmt::format("<!DOCTYPE html>\n<html><body>\n<h1>{}</h1>\n", core::html_escaped(digest.subject));
    for (const auto& section : sections) {
        if (section.items.empty()) continue;
        digest.text += text_of(section, limit);
        digest.html += html_of(section, limit);
    }
    const auto origin = fmt::format("Run {} of group {}.", number_in(content, "run"), text_in(content, "group"));
    digest.text += fmt::format("\n{}\n", origin);
    digest.html += fmt::format("<p><small>{}</small></p>\n</body></html>\n", core::html_escaped(origin));
    return digest;
}

}  // namespace

storage::DigestText write_digest(std::string_view text) {
    const auto content = json::parse(text, nullptr, false);
    if (!content.is_object()) throw std::invalid_argument{"what a digest is to tell is no JSON object"};
    const auto& branches = list_in(content, "branches");
    const auto& distributions = list_in(content, "distributions");
    const auto& rebases = list_in(content, "rebases");
    auto failed = sync_failures(branches);
    auto apart = diverged(branches);
    auto undistributed = distribution_failures(distributions);
    auto found = migrations(list_in(content, "migrations"));
    const Counts counts{.sync_failures = failed.items.size(),
                        .distribution_failures = undistributed.items.size(),
                        .diverged = apart.items.size(),
                        .migrations = found.items.size()};
    const std::vector<Section> sections{counts_of(branches),
                                        given_up(list_in(content, "given_up")),
                                        std::move(failed),
                                        std::move(apart),
                                        std::move(undistributed),
                                        rebase_failures(rebases),
                                        search_failures(list_in(content, "searches")),
                                        synced(branches),
                                        distributed(distributions),
                                        rebased(rebases),
                                        std::move(found),
                                        moved(branches),
                                        overlay(branches)};
    for (auto limit = most_items;; limit /= 2) {
        auto digest = written(content, counts, sections, limit);
        if (limit <= 1 || (digest.text.size() <= most_digest_bytes && digest.html.size() <= most_digest_bytes)) {
            return digest;
        }
    }
}

}  // namespace millrace::handlers::forks
