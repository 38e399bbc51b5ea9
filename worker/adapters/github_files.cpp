// The part of github.hpp that is about files, pull requests and branches.

#include "adapters/github.hpp"
#include "adapters/hmac.hpp"
#include "adapters/mime.hpp"
#include "core/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace millrace::adapters {
namespace {

using nlohmann::json;
using Verdict = GithubAnswer::Verdict;

constexpr int page_size = 100;
constexpr int most_pages = 10;  // GitHub finds no more than 1,000
constexpr int most_branch_pages = 100;
constexpr std::size_t most_known_files = 4096;  // whose tags are kept
constexpr std::size_t most_title_bytes = 500;
constexpr std::int64_t most_number = 999'999'999;

bool has_text(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string();
}

bool is_text(const json& object, const char* key, std::string_view text) {
    return has_text(object, key) && object[key].get_ref<const std::string&>() == text;
}

// Of what a file holds; empty: it comes without its content, in no encoding, being too large.
std::string digest_in(const json& file) {
    if (!is_text(file, "encoding", "base64") || !has_text(file, "content")) return "";
    const auto content = from_base64(file["content"].get_ref<const std::string&>());
    return content ? hmac_sha256("", *content) : "";
}

// Where git finds the repositories of an interface: https://api.github.com has them at https://github.com, GitHub
// Enterprise's https://HOST/api/v3 at https://HOST, and https://api.NAME.ghe.com at https://NAME.ghe.com.
std::string git_address(const std::string& api_url) {
    constexpr std::string_view enterprise{"/api/v3"};
    constexpr std::string_view by_name{"https://api."};
    if (api_url.ends_with(enterprise)) return api_url.substr(0, api_url.size() - enterprise.size());
    if (api_url.starts_with(by_name)) return "https://" + api_url.substr(by_name.size());
    return api_url;
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

std::variant<Github::FileThere, GithubAnswer> Github::look_at(const GithubFile& file, const std::string& url,
                                                              const GithubAsking& asking) {
    const auto digest = hmac_sha256("", file.content);
    const auto known = known_files_.with([&](const std::map<std::string, KnownFile>& all) {
        const auto found = all.find(url);
        return found == all.end() ? std::nullopt : std::optional{found->second};
    });
    auto wanted = request("GET", url, asking);
    if (known) wanted.headers.push_back({"If-None-Match", known->etag});
    const auto answer = call(std::move(wanted), asking).answer;
    if (answer.status == 304 && known) return FileThere{known->sha, known->digest == digest};
    if (answer.status == 404) return FileThere{};
    if (answer.status != 200) return refusal("get " + file.path, answer);
    const auto there = json::parse(answer.body, nullptr, false);
    if (!there.is_object() || !is_text(there, "type", "file") || !has_text(there, "sha")) {
        return GithubAnswer{Verdict::failed, fmt::format("get {}: there is something else than a file", file.path), {}};
    }
    const KnownFile found{answer.header("etag"), there["sha"].get<std::string>(), digest_in(there)};
    if (!found.etag.empty()) {
        known_files_.with([&](std::map<std::string, KnownFile>& all) {
            if (all.size() >= most_known_files && !all.contains(url)) all.erase(all.begin());
            all.insert_or_assign(url, found);
        });
    }
    return FileThere{found.sha, found.digest == digest};
}

std::variant<GithubFileState, GithubAnswer> Github::put_file(const GithubFile& file, const Announce& announce,
                                                             const GithubAsking& asking) {
    const auto url = fmt::format("{}/repos/{}/contents/{}", settings_.api_url, file.repo, percent_encoded(file.path));
    const auto looked = look_at(file, url, asking);
    if (const auto* refused = std::get_if<GithubAnswer>(&looked)) return *refused;
    const auto& there = std::get<FileThere>(looked);
    if (there.is_same) return GithubFileState::unchanged;
    const auto state = there.sha.empty() ? GithubFileState::created : GithubFileState::updated;
    json body{{"message", fmt::format("{} {} from {} distributor", name_of(state), file.path, file.distributor)},
              {"content", base64(file.content)}};
    if (!there.sha.empty()) body["sha"] = there.sha;
    auto wanted = request("PUT", url, asking);
    wanted.headers.push_back({"Content-Type", "application/json"});
    wanted.body = body.dump();
    announce(state);
    const auto answer = call(std::move(wanted), asking).answer;
    if (answer.status == 200 || answer.status == 201) return state;
    auto refused = refusal("put " + file.path, answer);
    // Somebody else has just written to that branch, or made the file.
    const bool has_changed =
        answer.status == 409 || (answer.status == 422 && answer.body.find("wasn't supplied") != std::string::npos);
    if (has_changed) refused.verdict = Verdict::broken;
    return refused;
}

std::variant<std::vector<GithubPull>, GithubAnswer> Github::merged_pulls(const GithubSearch& search,
                                                                         const GithubAsking& asking) {
    const auto broken = [](const char* why) { return GithubAnswer{Verdict::broken, why, {}}; };
    const auto query = fmt::format("{} in:title repo:{} is:pr is:merged base:{} merged:{}", search.word, search.repo,
                                   search.branch, search.period);
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

std::variant<std::vector<std::string>, GithubAnswer> Github::branches(const std::string& repo,
                                                                      const GithubAsking& asking) {
    std::vector<std::string> names;
    for (int page = 1; page <= most_branch_pages; ++page) {
        const auto url =
            fmt::format("{}/repos/{}/branches?per_page={}&page={}", settings_.api_url, repo, page_size, page);
        const auto answer = call(request("GET", url, asking), asking).answer;
        if (answer.status != 200) return refusal("list branches", answer);
        const auto body = json::parse(answer.body, nullptr, false);
        const bool is_list = body.is_array() && std::all_of(body.begin(), body.end(), [](const json& branch) {
                                 return branch.is_object() && has_text(branch, "name");
                             });
        if (!is_list) {
            return GithubAnswer{Verdict::broken, "list branches: GitHub answered 200 with something else", {}};
        }
        for (const auto& branch : body)
            names.push_back(branch["name"].get<std::string>());
        if (!has_next_page(answer)) return names;
    }
    return GithubAnswer{Verdict::failed, fmt::format("list branches: more than {}", most_branch_pages * page_size), {}};
}

GithubRemote Github::remote(const std::string& repo) const {
    const auto address = git_address(settings_.api_url);
    GithubRemote remote{fmt::format("{}/{}.git", address, repo),
                        {"GIT_CONFIG_COUNT=1", fmt::format("GIT_CONFIG_KEY_0=http.{}/.extraHeader", address),
                         "GIT_CONFIG_VALUE_0=Authorization: Basic " + base64("x-access-token:" + settings_.token)}};
    if (!settings_.ca_file.empty()) remote.environment.push_back("GIT_SSL_CAINFO=" + settings_.ca_file);
    return remote;
}

}  // namespace millrace::adapters
