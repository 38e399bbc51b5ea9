// The part of github.hpp that is about files and pull requests.

#include "adapters/github.hpp"
#include "adapters/mime.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string_view>
#include <utility>

namespace millrace::adapters {
namespace {

using nlohmann::json;
using Verdict = GithubAnswer::Verdict;

constexpr int page_size = 100;
constexpr int most_pages = 10;  // GitHub finds no more than 1,000
constexpr std::size_t most_title_bytes = 500;
constexpr std::int64_t most_number = 999'999'999;

bool has_text(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string();
}

bool is_text(const json& object, const char* key, std::string_view text) {
    return has_text(object, key) && object[key].get_ref<const std::string&>() == text;
}

bool holds(const json& file, const std::string& content) {
    // A large file comes without its content, in no encoding: it differs.
    if (!is_text(file, "encoding", "base64") || !has_text(file, "content")) return false;
    return from_base64(file["content"].get_ref<const std::string&>()) == content;
}

bool has_next_page(const HttpAnswer& answer) {
    return answer.header("link").find("rel=\"next\"") != std::string::npos;
}

}  // namespace

const char* name_of(GithubFileState state) {
    switch (state) {
        case GithubFileState::created:
            return "created";
        case GithubFileState::updated:
            return "updated";
        case GithubFileState::unchanged:
            return "unchanged";
    }
    __builtin_unreachable();
}

GithubAnswer Github::refusal(const std::string& step, const HttpAnswer& answer) const {
    auto refused = refusal(answer);
    refused.detail = fmt::format("{}: {}", step, refused.detail);
    return refused;
}

std::variant<GithubFileState, GithubAnswer> Github::put_file(const GithubFile& file, const Announce& announce,
                                                             const GithubAsking& asking) {
    const auto url = fmt::format("{}/repos/{}/contents/{}", settings_.api_url, file.repo, percent_encoded(file.path));
    const auto found = call(request("GET", url, asking), asking).answer;
    if (found.status != 200 && found.status != 404) return refusal("get " + file.path, found);
    json there;
    if (found.status == 200) {
        there = json::parse(found.body, nullptr, false);
        if (!there.is_object() || !is_text(there, "type", "file") || !has_text(there, "sha")) {
            return GithubAnswer{
                Verdict::failed, fmt::format("get {}: there is something else than a file", file.path), {}};
        }
        if (holds(there, file.content)) return GithubFileState::unchanged;
    }
    const auto state = there.is_null() ? GithubFileState::created : GithubFileState::updated;
    json body{{"message", fmt::format("{} {} from {} distributor", name_of(state), file.path, file.distributor)},
              {"content", base64(file.content)}};
    if (!there.is_null()) body["sha"] = there["sha"];
    auto wanted = request("PUT", url, asking);
    wanted.headers.push_back({"Content-Type", "application/json"});
    wanted.body = body.dump();
    announce(state);
    const auto answer = call(std::move(wanted), asking).answer;
    if (answer.status == 200 || answer.status == 201) return state;
    auto refused = refusal("put " + file.path, answer);
    // Somebody else has just written to that branch.
    if (answer.status == 409) refused.verdict = Verdict::broken;
    return refused;
}

std::variant<std::vector<GithubPull>, GithubAnswer> Github::merged_pulls(const GithubSearch& search,
                                                                         const GithubAsking& asking) {
    const auto broken = [](const char* why) { return GithubAnswer{Verdict::broken, why, {}}; };
    const auto query = fmt::format("{} in:title repo:{} is:pr is:merged base:{} merged:>={}", search.word, search.repo,
                                   search.branch, search.since);
    const auto tag = fmt::format("[{}]", search.word);  // a search passes over brackets
    std::vector<GithubPull> pulls;
    for (int page = 1; page <= most_pages; ++page) {
        const auto url = fmt::format("{}/search/issues?q={}&per_page={}&page={}", settings_.api_url,
                                     percent_encoded(query), page_size, page);
        const auto answer = call(request("GET", url, asking), asking).answer;
        if (answer.status != 200) return refusal("search", answer);
        const auto body = json::parse(answer.body, nullptr, false);
        const auto items = body.is_object() ? body.value("items", json{}) : json{};
        if (!items.is_array()) return broken("search: GitHub answered 200 with something else than a list");
        const auto is_cut = body.value("incomplete_results", json{});
        if (is_cut.is_boolean() && is_cut.get<bool>()) return broken("search: GitHub came to no end with it");
        for (const auto& item : items) {
            if (!item.is_object() || !item.value("number", json{}).is_number_unsigned() || !has_text(item, "title")) {
                return broken("search: GitHub answered 200 with something else than pull requests");
            }
            const auto number = item["number"].get<std::int64_t>();
            const auto& title = item["title"].get_ref<const std::string&>();
            if (number < 1 || number > most_number || title.find(tag) == title.npos) continue;
            pulls.push_back({number, core::printable(masked(title), most_title_bytes)});
        }
        if (!has_next_page(answer)) break;
    }
    return pulls;
}

}  // namespace millrace::adapters
