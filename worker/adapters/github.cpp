#include "adapters/github.hpp"

#include "adapters/github_limit.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <string_view>
#include <utility>

namespace millrace::adapters {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using Verdict = GithubAnswer::Verdict;

constexpr std::size_t most_message_bytes = 500;
constexpr std::size_t most_known_bytes = std::size_t{16} * 1024 * 1024;  // of comparisons whose tags are kept
constexpr std::size_t most_subject_bytes = 1000;
constexpr std::size_t most_subjects = 1000;  // that are of interest to whoever records them
constexpr std::size_t page_size = 100;
constexpr std::uint64_t most_commits = 1000000000;
constexpr int most_moves = 3;

constexpr auto permissions =
    "a fine-grained token needs the forks' organisation as its resource owner, Contents: read and write, and Workflows:"
    " read and write where an upstream changes workflow files; a classic one the scopes repo and workflow";

std::string remedy_of(const HttpAnswer& answer) {
    switch (answer.status) {
        case 301:
        case 302:
        case 307:
        case 308:
            return "; the repository has moved, and not within this interface: add it by its new name";
        case 401:
            return "; the token is not valid, or has expired";
        case 403:
            return fmt::format("; {}", permissions);
        case 404:
            return fmt::format("; there is no such repository, or the token may not see it: {}", permissions);
        default:
            return "";
    }
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

bool is_move(const HttpAnswer& answer) {
    return answer.status == 301 || answer.status == 302 || answer.status == 307 || answer.status == 308;
}

// About what it takes to keep a comparison: its address twice, its tag, and each text's own record.
std::size_t bytes_of(const std::string& url, const std::vector<std::string>& subjects) {
    constexpr std::size_t record = 64;
    return std::accumulate(subjects.begin(), subjects.end(), 4 * record + 2 * url.size(),
                           [](std::size_t sum, const std::string& subject) { return sum + record + subject.size(); });
}

}  // namespace

std::optional<std::string> github_problem(const GithubSettings& settings) {
    const auto& token = settings.token;
    if (token.empty()) {
        return fmt::format(
            "github.token_variable: the environment has no variable {}, or an empty one; put a token there: {}",
            settings.token_variable, permissions);
    }
    const auto is_visible = [](char letter) { return letter > ' ' && letter < '\x7f'; };
    if (!std::all_of(token.begin(), token.end(), is_visible)) {
        return fmt::format("github.token_variable: what {} holds is no token: it has spaces or line ends in it",
                           settings.token_variable);
    }
    if (!settings.ca_file.empty() && !std::ifstream{settings.ca_file}) {
        return fmt::format("github.ca_file: {} cannot be read; it should hold certificates in PEM", settings.ca_file);
    }
    return std::nullopt;
}

Github::Github(GithubSettings settings, const HttpLimits& limits)
    : settings_{std::move(settings)}, limits_{limits}, http_{{.ca_file = settings_.ca_file}} {}

std::string Github::token_name() const {
    return fmt::format("{} for {}", settings_.token_variable, settings_.api_url).substr(0, 300);
}

std::string Github::masked(std::string text) const {
    constexpr std::string_view mask{"***"};
    // Behind the mask: a token may be made of what it is.
    for (auto at = text.find(settings_.token); at != text.npos; at = text.find(settings_.token, at + mask.size()))
        text.replace(at, settings_.token.size(), mask);
    return text;
}

HttpRequest Github::request(const std::string& method, const std::string& url, const GithubAsking& asking) const {
    HttpRequest wanted{.method = method,
                       .url = url,
                       .headers = {{"Accept", "application/vnd.github+json"},
                                   {"X-GitHub-Api-Version", "2022-11-28"},
                                   {"Authorization", "Bearer " + settings_.token}},
                       .body = {},
                       .limits = limits_};
    if (!asking.traceparent.empty()) wanted.headers.push_back({"traceparent", asking.traceparent});
    return wanted;
}

Github::Answered Github::call(HttpRequest request, const GithubAsking& asking) {
    auto answer = http_.send(request, asking.stop);
    bool has_moved = false;
    for (int move = 0; move < most_moves && is_move(answer); ++move) {
        const auto location = answer.header("location");
        if (!location.starts_with(settings_.api_url + "/")) break;  // the token is for nobody else
        has_moved = true;
        request.url = location;
        answer = http_.send(request, asking.stop);
    }
    return {std::move(answer), has_moved ? request.url : ""};
}

// GitHub sends from a name to a number: /repositories/4711/...
std::string Github::name_of_moved(const std::string& url, const GithubAsking& asking) {
    constexpr std::string_view unknown = "another name";
    const auto by_number = settings_.api_url + "/repositories/";
    if (!url.starts_with(by_number)) return std::string{unknown};
    try {
        const auto by_id = url.substr(0, url.find('/', by_number.size()));
        const auto answer = http_.send(request("GET", by_id, asking), asking.stop);
        const auto body = json::parse(answer.body, nullptr, false);
        const auto name = body.is_object() ? body.value("full_name", json{}) : json{};
        return name.is_string() ? masked(core::printable(name.get<std::string>(), most_message_bytes))
                                : std::string{unknown};
    } catch (const HttpError&) {
        return std::string{unknown};
    }
}

GithubAnswer Github::refusal(const HttpAnswer& answer) const {
    const auto message = core::printable(masked(github_message(answer)), most_message_bytes);
    const auto told = fmt::format("GitHub answered {}{}{}", answer.status, message.empty() ? "" : ": ", message);
    if (const auto wait = github_limit(answer, longest_wait)) return {Verdict::limited, told, *wait};
    if (answer.status >= 500) return {Verdict::broken, told, {}};
    return {Verdict::failed, told + remedy_of(answer), {}};
}

GithubAnswer Github::judge(const HttpAnswer& answer) const {
    const auto message = core::printable(masked(github_message(answer)), most_message_bytes);
    if (answer.status == 200) {
        const auto body = json::parse(answer.body, nullptr, false);
        const auto type = body.is_object() ? body.value("merge_type", json{}) : json{};
        if (type == "fast-forward" || type == "merge") return {Verdict::updated, type.get<std::string>(), {}};
        if (type == "none") return {Verdict::current, "", {}};
        return {Verdict::broken, "GitHub answered 200 with something else than a merge", {}};
    }
    const bool has_no_branch = (answer.status == 422 && says(message, "does not exist")) ||
                               (answer.status == 404 && says(message, "branch not found"));
    if (has_no_branch) return {Verdict::skipped, message, {}};
    if (answer.status == 409) return {Verdict::conflict, message, {}};
    return refusal(answer);
}

GithubAnswer Github::merge_upstream(const GithubBranch& fork, const GithubAsking& asking) {
    auto wanted = request("POST", fmt::format("{}/repos/{}/merge-upstream", settings_.api_url, fork.repo), asking);
    wanted.headers.push_back({"Content-Type", "application/json"});
    wanted.body = json{{"branch", fork.branch}}.dump();
    const auto [answer, moved_to] = call(std::move(wanted), asking);
    auto judged = judge(answer);
    if (!moved_to.empty()) {
        judged.detail += fmt::format("{}{}{}: add it by that name", judged.detail.empty() ? "" : "; ", moved_words,
                                     name_of_moved(moved_to, asking));
    }
    return judged;
}

std::optional<GithubDifference> Github::difference_in(const std::string& body) const {
    const auto answer = json::parse(body, nullptr, false);
    if (!answer.is_object()) return std::nullopt;
    const auto ahead = answer.value("ahead_by", json{});
    const auto behind = answer.value("behind_by", json{});
    const auto commits = answer.value("commits", json{});
    if (!ahead.is_number_unsigned() || !behind.is_number_unsigned() || !commits.is_array()) return std::nullopt;
    if (ahead > most_commits || behind > most_commits || commits.size() > ahead) return std::nullopt;
    GithubDifference difference{.ahead = ahead.get<int>(), .behind = behind.get<int>(), .subjects = {}};
    // GitHub's newest comes last.
    for (auto commit = commits.rbegin(); commit != commits.rend() && difference.subjects.size() < most_subjects;
         ++commit) {
        const auto pointer = json::json_pointer{"/commit/message"};
        if (!commit->is_object() || !commit->contains(pointer) || !commit->at(pointer).is_string()) return std::nullopt;
        auto subject = masked(first_line(commit->at(pointer).get<std::string>()));
        difference.subjects.push_back(core::printable(subject, most_subject_bytes));
    }
    return difference;
}

// GitHub's pages begin with the oldest commit; an answer without pages names the newest.
std::optional<HttpAnswer> Github::add_older(GithubDifference& difference, const std::string& url,
                                            const GithubAsking& asking) {
    const auto ahead = static_cast<std::size_t>(difference.ahead);
    const auto named = difference.subjects.size();
    const auto oldest = ahead - std::min(ahead, most_subjects);  // how many there are before those of interest
    if (named >= ahead - oldest) return std::nullopt;
    for (auto page = (ahead - named - 1) / page_size + 1; page > oldest / page_size; --page) {
        const auto address = fmt::format("{}?per_page={}&page={}", url, page_size, page);
        auto answer = call(request("GET", address, asking), asking).answer;
        const auto found = answer.status == 200 ? difference_in(answer.body) : std::nullopt;
        // Of another number of commits: somebody has pushed meanwhile.
        const auto before = (page - 1) * page_size;
        const auto expected = std::min(page_size, ahead - before);
        if (!found || found->ahead != difference.ahead || found->subjects.size() != expected) return answer;
        for (std::size_t place = 0; place < expected && difference.subjects.size() < most_subjects; ++place) {
            const bool is_named_already = before + expected - place > ahead - named;
            if (!is_named_already) difference.subjects.push_back(found->subjects[place]);
        }
    }
    return std::nullopt;
}

void Github::remember(const std::string& url, const std::string& etag, const GithubDifference& difference) {
    if (etag.empty()) return;
    known_.with([&](Comparisons& all) {
        auto& known = all.by_address;
        const auto forget = [&](std::map<std::string, Known>::iterator which) {
            all.bytes -= bytes_of(which->first, which->second.difference.subjects);
            known.erase(which);
        };
        if (const auto found = known.find(url); found != known.end()) forget(found);
        const auto bytes = bytes_of(url, difference.subjects);
        while (!known.empty() && all.bytes + bytes > most_known_bytes)
            forget(known.begin());
        all.bytes += bytes;
        known.insert_or_assign(url, Known{etag, difference});
    });
}

GithubComparison Github::compare(const std::string& upstream, const GithubBranch& fork, const GithubAsking& asking) {
    const auto owner = fork.repo.substr(0, fork.repo.find('/'));
    const auto basehead = percent_encoded(fmt::format("{0}...{1}:{0}", fork.branch, owner));
    auto wanted = request("GET", fmt::format("{}/repos/{}/compare/{}", settings_.api_url, upstream, basehead), asking);
    const auto known = known_.with([&](const Comparisons& all) {
        const auto found = all.by_address.find(wanted.url);
        return found == all.by_address.end() ? std::nullopt : std::optional{found->second};
    });
    if (known) wanted.headers.push_back({"If-None-Match", known->etag});
    const auto [answer, moved_to] = call(wanted, asking);
    GithubComparison found;
    if (answer.status == 304 && known) {
        found.difference = known->difference;
    } else if (answer.status == 200) {
        found.difference = difference_in(answer.body);
    }
    if (!found.difference) return {std::nullopt, github_limit(answer, longest_wait).value_or(seconds{0})};
    if (answer.status == 200) {
        if (const auto refused = add_older(*found.difference, wanted.url, asking)) {
            return {std::nullopt, github_limit(*refused, longest_wait).value_or(seconds{0})};
        }
        remember(wanted.url, answer.header("etag"), *found.difference);
    }
    if (!moved_to.empty()) found.moved_to = name_of_moved(moved_to, asking);
    return found;
}

}  // namespace millrace::adapters
