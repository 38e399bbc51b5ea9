#pragma once
// GitHub's REST interface, as far as forks need it: a branch brought up to date, and compared with its upstream; a file
// put in its place; merged pull requests searched for; branches listed.
//
//     POST /repos/{repo}/merge-upstream           200 fast-forward or merge → updated, none → current
//                                                 422 "does not exist", 404 "branch not found" → skipped
//                                                 409 → conflict
//                                                 429, 403 with a rate limit → limited, until when they say
//                                                 5xx → broken: worth another try
//                                                 anything else → failed, with status, message and remedy
//     GET  /repos/{upstream}/compare/{basehead}   200 → the difference, 304 → the one that is known;
//                                                 anything else → unknown. It names the newest 250 commits; those
//                                                 before them are asked for page by page, up to 1,000 in all
//
//     GET, PUT /repos/{repo}/contents/{path}      the file on the default branch, written only when it differs;
//                                                 304 → as it was
//     GET  /search/issues                         page by page, 100 at a time
//     GET  /repos/{repo}/branches                 likewise
//
// What takes git itself (rebasing) goes over git's https, to where the interface has its repositories, with the same
// token.
//
// GitHub tells two forks of one upstream apart by their owner only, when it compares.
//
// A repository that was renamed is followed, within the interface that was configured. Its new name is told when it is
// synchronised, at the end of the detail: "the repository has moved to org/name: add it by that name"; an upstream's
// with the comparison. Nothing that comes out of here shows the token, whatever an answer echoes.
//
// Thread rule: any thread.

#include "adapters/http.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::adapters {

struct GithubSettings {
    std::string api_url = "https://api.github.com";  // without a slash at its end
    std::string token_variable = {};                 // the environment variable that holds the token
    std::string token = {};
    std::string ca_file = {};  // empty: the system's authorities
};

// What the detail says of a repository that was renamed, before the name.
inline constexpr std::string_view moved_words = "the repository has moved to ";
inline constexpr std::string_view moved_upstream_words = "the upstream has moved to ";

struct GithubAnswer {
    enum class Verdict { updated, current, skipped, conflict, failed, broken, limited };
    Verdict verdict = Verdict::broken;
    std::string detail;
    std::chrono::seconds wait{0};  // of limited
};

struct GithubBranch {
    std::string repo;  // org/name
    std::string branch;
};

struct GithubDifference {
    int ahead = 0;
    int behind = 0;
    std::vector<std::string> subjects;  // the newest first, up to 1,000
};

struct GithubComparison {
    std::optional<GithubDifference> difference;
    std::chrono::seconds wait{0};  // more than 0: the token has come to a limit
    std::string moved_to = {};     // the upstream's new name; empty: it has its old one, or is not known
};

struct GithubFile {
    std::string repo;
    std::string path;
    std::string content;
    std::string distributor;  // whom the commit's subject names
};
enum class GithubFileState { created, updated, unchanged };
[[nodiscard]] const char* name_of(GithubFileState state);

// Pull requests into a branch that were merged in a period.
struct GithubSearch {
    std::string repo;
    std::string branch;
    std::string period;  // in ISO 8601: from..to, both included
    std::string word;    // in the title, in brackets: [word]
};
struct GithubPull {
    std::int64_t number = 0;
    std::string title;
};

// What git needs to reach a repository. The token is in a variable, as a header for that server alone: not in the
// address, no argument, and no message of git's.
struct GithubRemote {
    std::string url;
    std::vector<std::string> environment;  // NAME=value
};

// On whose behalf something is asked.
struct GithubAsking {
    std::stop_token stop = {};
    std::string traceparent = {};  // empty: none
};

// Why a worker cannot work with these settings; nothing when it can.
[[nodiscard]] std::optional<std::string> github_problem(const GithubSettings& settings);

class Github {
public:
    static constexpr std::chrono::seconds longest_wait{std::chrono::hours{24}};

    explicit Github(GithubSettings settings, const HttpLimits& limits = {});

    // What the token is called, for whoever must tell others of it. Nothing of the token.
    [[nodiscard]] std::string token_name() const;

    // All throw HttpError.
    [[nodiscard]] GithubAnswer merge_upstream(const GithubBranch& fork, const GithubAsking& asking);
    [[nodiscard]] GithubComparison compare(const std::string& upstream, const GithubBranch& fork,
                                           const GithubAsking& asking);

    // What became of the file; or the refusal: failed, broken or limited. `announce` is called before a file is
    // written, with what it is about to be; what it throws prevents that. The subjects of the commits are
    // "created PATH from DISTRIBUTOR distributor" and "updated …".
    using Announce = std::function<void(GithubFileState)>;
    [[nodiscard]] std::variant<GithubFileState, GithubAnswer> put_file(const GithubFile& file, const Announce& announce,
                                                                       const GithubAsking& asking);

    // Those with the word, at most 1,000; or the refusal.
    [[nodiscard]] std::variant<std::vector<GithubPull>, GithubAnswer> merged_pulls(const GithubSearch& search,
                                                                                   const GithubAsking& asking);

    // The names of all branches, at most 10,000; or the refusal.
    [[nodiscard]] std::variant<std::vector<std::string>, GithubAnswer> branches(const std::string& repo,
                                                                                const GithubAsking& asking);

    [[nodiscard]] GithubRemote remote(const std::string& repo) const;

private:
    struct Answered {
        HttpAnswer answer;
        std::string moved_to;  // the address where it was found, when that is another one
    };
    struct Known {
        std::string etag;
        GithubDifference difference;
    };
    struct Comparisons {
        std::map<std::string, Known> by_address = {};
        std::size_t bytes = 0;
    };
    struct FileThere {
        std::string sha = {};  // empty: there is none
        bool is_same = false;
    };
    struct KnownFile {
        std::string etag;
        std::string sha;
        std::string digest;  // of what it held, which may be large
    };

    [[nodiscard]] std::string masked(std::string text) const;
    [[nodiscard]] HttpRequest request(const std::string& method, const std::string& url,
                                      const GithubAsking& asking) const;
    [[nodiscard]] Answered call(HttpRequest request, const GithubAsking& asking);
    [[nodiscard]] std::string name_of_moved(const std::string& url, const GithubAsking& asking);
    [[nodiscard]] std::variant<FileThere, GithubAnswer> look_at(const GithubFile& file, const std::string& url,
                                                                const GithubAsking& asking);
    [[nodiscard]] GithubAnswer judge(const HttpAnswer& answer) const;
    // Of an answer that is not what was asked for.
    [[nodiscard]] GithubAnswer refusal(const HttpAnswer& answer) const;
    [[nodiscard]] GithubAnswer refusal(const std::string& step, const HttpAnswer& answer) const;
    [[nodiscard]] std::optional<GithubDifference> difference_in(const std::string& body) const;
    // Adds the subjects of older commits to those of the newest. What was refused, or cannot be read.
    [[nodiscard]] std::optional<HttpAnswer> add_older(GithubDifference& difference, const std::string& url,
                                                      const GithubAsking& asking);
    void remember(const std::string& url, const std::string& etag, const GithubDifference& difference);

    const GithubSettings settings_;
    const HttpLimits limits_;
    Http http_;
    core::Guarded<Comparisons> known_;  // as many as a bound of memory allows
    core::Guarded<std::map<std::string, KnownFile>> known_files_;
};

}  // namespace millrace::adapters
