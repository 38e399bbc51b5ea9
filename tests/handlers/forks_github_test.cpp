// Forks on GitHub, against a server on this host that answers as the test says: what becomes of each answer.

#include "adapters/github.hpp"
#include "handlers/forks/sync.hpp"
#include "support/database.hpp"
#include "support/git_sandbox.hpp"
#include "support/running_worker.hpp"
#include "support/web_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace millrace::handlers::forks {
namespace {

using namespace std::chrono_literals;
using adapters::Github;
using adapters::GithubAnswer;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::web_reply;
using testing::WebHeaders;
using testing::WebReply;
using testing::WebRequest;
using testing::WebServer;
using Verdict = GithubAnswer::Verdict;

const std::string token = "ghp_canary0123456789";

adapters::GithubSettings settings_of(const WebServer& server) {
    return {.api_url = server.url(), .token_variable = "A_TOKEN", .token = token};
}

std::vector<std::string> seen_by(const WebServer& server) {
    std::vector<std::string> lines;
    for (const auto& request : server.seen())
        lines.push_back(request.method + " " + request.target + (request.body.empty() ? "" : " " + request.body));
    return lines;
}

WebReply says(int status, const std::string& message, const WebHeaders& headers = {}) {
    return web_reply(status, fmt::format(R"({{"message": "{}"}})", message), headers);
}

WebReply merged(const std::string& type) {
    return web_reply(200, fmt::format(R"({{"merge_type": "{}", "message": "x"}})", type));
}

GithubAnswer answer_to(const WebReply& scripted) {
    WebServer server{[&](const auto&) { return scripted; }};
    Github github{settings_of(server)};
    return github.merge_upstream({"acme/hub", "main"}, {});
}

TEST(GithubAnswers, that_a_branch_was_brought_up_to_date_or_is) {
    for (const auto* type : {"fast-forward", "merge"}) {
        const auto answer = answer_to(merged(type));
        EXPECT_EQ(answer.verdict, Verdict::updated);
        EXPECT_EQ(answer.detail, type);
    }
    EXPECT_EQ(answer_to(merged("none")).verdict, Verdict::current);
    for (const auto* body : {"{}", "[]", "", "<html>", R"({"merge_type": 7})", R"({"merge_type": "octopus"})"})
        EXPECT_EQ(answer_to(web_reply(200, body)).verdict, Verdict::broken) << body;
}

TEST(GithubAnswers, that_a_branch_is_missing_are_no_failures) {
    EXPECT_EQ(answer_to(says(422, "The branch `x` does not exist on the fork")).verdict, Verdict::skipped);
    EXPECT_EQ(answer_to(says(422, "DOES NOT EXIST")).verdict, Verdict::skipped);
    EXPECT_EQ(answer_to(says(404, "Branch not found")).verdict, Verdict::skipped);
    EXPECT_EQ(answer_to(says(404, "BRANCH NOT FOUND")).verdict, Verdict::skipped);
    EXPECT_EQ(answer_to(says(422, "Validation failed")).verdict, Verdict::failed);
    EXPECT_EQ(answer_to(says(404, "Not Found")).verdict, Verdict::failed);
    EXPECT_EQ(answer_to(says(404, "it does not exist")).verdict, Verdict::failed);
    EXPECT_EQ(answer_to(says(422, "branch not found")).verdict, Verdict::failed);
}

TEST(GithubAnswers, that_are_failures_name_status_message_and_remedy) {
    EXPECT_EQ(answer_to(says(409, "There are merge conflicts")).verdict, Verdict::conflict);
    const auto forbidden = answer_to(says(403, "Resource not accessible by personal access token"));
    EXPECT_EQ(forbidden.verdict, Verdict::failed);
    EXPECT_THAT(forbidden.detail, AllOf(HasSubstr("GitHub answered 403: Resource not accessible"),
                                        HasSubstr("Contents: read and write"), HasSubstr("resource owner")));
    EXPECT_THAT(answer_to(says(401, "Bad credentials")).detail, HasSubstr("is not valid, or has expired"));
    for (const int status : {400, 401, 402, 404, 405, 406, 410, 413, 415, 418, 422, 451}) {
        const auto answer = answer_to(says(status, "no"));
        EXPECT_EQ(answer.verdict, Verdict::failed) << status;
        EXPECT_THAT(answer.detail, HasSubstr(fmt::format("GitHub answered {}: no", status)));
    }
    EXPECT_THAT(answer_to(says(404, "Not Found")).detail, HasSubstr("no such repository, or the token may not see it"));
    for (const int status : {500, 502, 503})
        EXPECT_EQ(answer_to(says(status, "oops")).verdict, Verdict::broken);
}

TEST(GithubAnswers, of_a_limit_say_how_long_to_wait) {
    const auto expect = [](const WebReply& scripted, std::chrono::seconds least, std::chrono::seconds most) {
        const auto answer = answer_to(scripted);
        EXPECT_EQ(answer.verdict, Verdict::limited);
        EXPECT_GE(answer.wait, least);
        EXPECT_LE(answer.wait, most);
    };
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    const auto reset = std::to_string(now.count() + 600);
    expect(says(429, "slow", {{"Retry-After", "17"}}), 17s, 17s);
    expect(says(403, "You have exceeded a secondary rate limit", {{"Retry-After", "30"}}), 30s, 30s);
    expect(says(403, "API RATE LIMIT exceeded", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", reset}}), 590s,
           600s);
    expect(says(403, "no", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", reset}}), 590s, 600s);
    expect(says(403, "You have exceeded a secondary rate limit"), 60s, 60s);
    expect(says(429, "slow", {{"Retry-After", "99999999999"}}), Github::longest_wait, Github::longest_wait);
    expect(says(429, "slow", {{"Retry-After", "-5"}}), 1s, 1s);
    expect(says(429, "slow", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "-9223372036854775808"}}), 1s, 1s);
    expect(says(429, "slow", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "9223372036854775807"}}),
           Github::longest_wait - 1s, Github::longest_wait);
    expect(says(429, "slow", {{"Retry-After", "soon"}}), 60s, 60s);
    EXPECT_EQ(answer_to(says(403, "no", {{"X-RateLimit-Remaining", "7"}})).verdict, Verdict::failed);
}

TEST(GithubRequests, bear_the_token_and_no_answer_shows_it) {
    WebServer server{[](const auto&) { return says(403, "what about " + token + " and " + token + "?"); }};
    Github github{settings_of(server)};
    EXPECT_THAT(github.merge_upstream({"acme/hub", "17.0"}, {}).detail,
                AllOf(HasSubstr("what about *** and ***?"), Not(HasSubstr(token))));
    EXPECT_THAT(seen_by(server), ElementsAre(R"(POST /repos/acme/hub/merge-upstream {"branch":"17.0"})"));
    EXPECT_EQ(server.seen().at(0).header("Authorization"), "Bearer " + token);
    EXPECT_EQ(server.seen().at(0).header("traceparent"), "");
    static_cast<void>(github.merge_upstream({"acme/hub", "17.0"}, {.stop = {}, .traceparent = "00-a-b-01"}));
    EXPECT_EQ(server.seen().at(1).header("traceparent"), "00-a-b-01");
    EXPECT_THAT(github.token_name(), Not(HasSubstr(token)));

    // Also where it is cut, or written in another way.
    const auto cut = answer_to(says(403, std::string(490, 'x') + token));
    EXPECT_THAT(cut.detail, Not(HasSubstr("ghp_")));
    const auto escaped = answer_to(says(403, "\\u0067hp_canary0123456789"));
    EXPECT_THAT(escaped.detail, AllOf(HasSubstr("***"), Not(HasSubstr("canary"))));
}

TEST(GithubRequests, show_no_token_in_the_subjects_and_names_that_they_bring_back) {
    std::string url;
    WebServer server{[&](const WebRequest& request) {
        if (request.target == "/repositories/7") {
            return web_reply(200, fmt::format(R"({{"full_name": "up/{}"}})", token));
        }
        if (request.target.starts_with("/repositories/7/")) {
            return web_reply(200, fmt::format(R"({{"ahead_by": 1, "behind_by": 0, "commits": [{{"commit":
                                                  {{"message": "use {}\n\nmore"}}}}], "merge_type": "merge"}})",
                                              token));
        }
        return says(301, "Moved", {{"Location", url + "/repositories/7/x"}});
    }};
    url = server.url();
    Github github{settings_of(server)};
    EXPECT_EQ(github.merge_upstream({"acme/hub", "main"}, {}).detail,
              "merge; the repository has moved to up/***: add it by that name");
    const auto found = github.compare("up/hub", {"acme/hub", "main"}, {});
    ASSERT_TRUE(found.difference);
    EXPECT_THAT(found.difference->subjects, ElementsAre("use ***"));
    EXPECT_EQ(found.moved_to, "up/***");
}

TEST(GithubRequests, come_back_whatever_the_token_is) {
    WebServer server{[](const auto&) { return says(403, "a * b"); }};
    auto settings = settings_of(server);
    settings.token = "*";
    EXPECT_THAT(Github{settings}.merge_upstream({"acme/hub", "main"}, {}).detail, HasSubstr("a *** b"));
}

TEST(GithubRequests, that_have_no_whole_answer_are_errors) {
    WebServer large{[](const auto&) { return web_reply(200, std::string(2000, 'x')); }};
    Github small{settings_of(large), {.body = 1000}};
    EXPECT_THROW(static_cast<void>(small.merge_upstream({"acme/hub", "main"}, {})), adapters::HttpError);
    Github nowhere{{.api_url = "http://127.0.0.1:1", .token_variable = "A_TOKEN", .token = token, .ca_file = {}}};
    EXPECT_THROW(static_cast<void>(nowhere.merge_upstream({"acme/hub", "main"}, {})), adapters::HttpError);
}

TEST(GithubRequests, follow_a_repository_that_has_moved_and_say_where_it_is) {
    for (const int status : {301, 302, 307, 308}) {
        std::string url;
        WebServer server{[&](const WebRequest& request) {
            if (request.target == "/repositories/7") return web_reply(200, R"({"full_name": "acme/center"})");
            if (request.target == "/repositories/7/merge-upstream") return merged("merge");
            return says(status, "Moved", {{"Location", url + "/repositories/7/merge-upstream"}});
        }};
        url = server.url();
        Github github{settings_of(server)};
        const auto answer = github.merge_upstream({"acme/hub", "main"}, {});
        EXPECT_EQ(answer.verdict, Verdict::updated);
        EXPECT_EQ(answer.detail, "merge; the repository has moved to acme/center: add it by that name");
        EXPECT_THAT(seen_by(server),
                    ElementsAre(R"(POST /repos/acme/hub/merge-upstream {"branch":"main"})",
                                R"(POST /repositories/7/merge-upstream {"branch":"main"})", "GET /repositories/7"));
    }
}

TEST(GithubRequests, take_the_token_to_nobody_else) {
    WebServer elsewhere{[](const auto&) { return merged("merge"); }};
    WebServer* here = nullptr;
    for (const auto& location : {elsewhere.url() + "/repositories/7/merge-upstream", std::string{"/relative"}}) {
        const auto moved = answer_to(says(307, "Moved", {{"Location", location}}));
        EXPECT_EQ(moved.verdict, Verdict::failed);
        EXPECT_THAT(moved.detail, HasSubstr("has moved, and not within this interface"));
    }
    EXPECT_TRUE(elsewhere.seen().empty());

    WebServer circle{[&](const auto&) { return says(301, "Moved", {{"Location", here->url() + "/again"}}); }};
    here = &circle;
    Github github{settings_of(circle)};
    EXPECT_EQ(github.merge_upstream({"acme/hub", "main"}, {}).verdict, Verdict::failed);
    EXPECT_EQ(circle.seen().size(), 4U) << "a circle ends";
}

TEST(GithubTokens, that_are_missing_or_none_are_named_with_what_they_need) {
    EXPECT_THAT(adapters::github_problem({.token_variable = "A_TOKEN"}).value_or(""),
                AllOf(HasSubstr("no variable A_TOKEN"), HasSubstr("Contents: read and write")));
    for (const auto* text : {"ghp_canary\n", "ghp canary", "canary\r\nX-A: b"}) {
        EXPECT_THAT(adapters::github_problem({.token_variable = "A_TOKEN", .token = text}).value_or(""),
                    AllOf(HasSubstr("is no token"), Not(HasSubstr("canary"))));
    }
    EXPECT_FALSE(adapters::github_problem({.token_variable = "A_TOKEN", .token = token}));
}

TEST(GithubComparisons, count_and_name_the_commits_the_newest_first) {
    WebServer server{[](const auto&) {
        return web_reply(200, R"({"ahead_by": 2, "behind_by": 1, "commits": [{"commit": {"message": "old\n\nmore"}},
                                 {"commit": {"message": "new"}}]})");
    }};
    Github github{settings_of(server)};
    const auto found = github.compare("up/hub", {"acme/hub", "feature/ä"}, {});
    ASSERT_TRUE(found.difference);
    EXPECT_EQ(found.difference->ahead, 2);
    EXPECT_EQ(found.difference->behind, 1);
    EXPECT_THAT(found.difference->subjects, ElementsAre("new", "old"));
    EXPECT_THAT(seen_by(server), ElementsAre("GET /repos/up/hub/compare/feature%2F%C3%A4...acme%3Afeature%2F%C3%A4"));
}

// A comparison by which `ahead` commits are ahead, the oldest called 1: the newest 250, or a page from the oldest on.
WebReply compared_by_pages(const WebRequest& request, int ahead) {
    const auto number_behind = [&](const std::string& key) {
        const auto at = request.target.find(key);
        return at == std::string::npos ? 0 : std::stoi(request.target.substr(at + key.size()));
    };
    const int page = number_behind("&page=");
    const int size = number_behind("?per_page=");
    const int first = page == 0 ? std::max(ahead - 250, 0) : (page - 1) * size;
    const int last = page == 0 ? ahead : std::min(first + size, ahead);
    std::string commits;
    for (int number = first; number < last; ++number)
        commits += fmt::format(R"({}{{"commit": {{"message": "{}"}}}})", commits.empty() ? "" : ",", number + 1);
    return web_reply(200, fmt::format(R"({{"ahead_by": {}, "behind_by": 0, "commits": [{}]}})", ahead, commits),
                     {{"ETag", "\"v1\""}});
}

TEST(GithubComparisons, name_the_newest_thousand_commits_and_ask_for_no_page_twice) {
    const std::vector<std::tuple<int, std::size_t, std::size_t>> cases{
        {250, 250, 1}, {251, 251, 2}, {350, 350, 2}, {351, 351, 3}, {1000, 1000, 9}, {1001, 1000, 9}, {4711, 1000, 9}};
    for (const auto& [ahead, subjects, requests] : cases) {
        WebServer server{[ahead = ahead](const WebRequest& request) {
            if (!request.header("If-None-Match").empty()) return web_reply(304, "");
            return compared_by_pages(request, ahead);
        }};
        Github github{settings_of(server)};
        for (int i = 0; i < 2; ++i) {
            const auto found = github.compare("up/hub", {"acme/hub", "main"}, {});
            ASSERT_TRUE(found.difference) << ahead;
            const auto& named = found.difference->subjects;
            ASSERT_EQ(named.size(), subjects) << ahead;
            for (std::size_t place = 0; place < named.size(); ++place)
                ASSERT_EQ(named[place], std::to_string(ahead - static_cast<int>(place))) << ahead;
        }
        EXPECT_EQ(server.seen().size(), requests + 1) << ahead << ": the second time, one on condition";
    }
}

// Of 300 commits, with what is said to whoever asks for a page.
adapters::GithubComparison compared_with_page(const WebServer::Script& page) {
    WebServer server{[&](const WebRequest& request) {
        return request.target.find("page=") == std::string::npos ? compared_by_pages(request, 300) : page(request);
    }};
    Github github{settings_of(server)};
    return github.compare("up/hub", {"acme/hub", "main"}, {});
}

TEST(GithubComparisons, are_unknown_when_a_page_is_refused_or_tells_of_another_branch) {
    const auto page_of = [](int ahead) {
        return [ahead](const WebRequest& request) { return compared_by_pages(request, ahead); };
    };
    EXPECT_TRUE(compared_with_page(page_of(300)).difference);
    EXPECT_FALSE(compared_with_page(page_of(301)).difference);
    EXPECT_FALSE(compared_with_page([](const auto&) { return web_reply(200, "{}"); }).difference);
    EXPECT_FALSE(compared_with_page([](const auto&) { return says(500, "oops"); }).difference);
    const auto limited = compared_with_page([](const auto&) { return says(429, "slow", {{"Retry-After", "17"}}); });
    EXPECT_FALSE(limited.difference);
    EXPECT_EQ(limited.wait, 17s);
}

TEST(GithubComparisons, are_asked_for_on_condition_the_second_time) {
    WebServer server{[](const WebRequest& request) {
        if (request.header("If-None-Match") == "\"v1\"") return web_reply(304, "");
        return web_reply(200, R"({"ahead_by": 1, "behind_by": 0, "commits": [{"commit": {"message": "work"}}]})",
                         {{"ETag", "\"v1\""}});
    }};
    Github github{settings_of(server)};
    for (int i = 0; i < 2; ++i) {
        const auto found = github.compare("up/hub", {"acme/hub", "main"}, {});
        ASSERT_TRUE(found.difference) << i;
        EXPECT_THAT(found.difference->subjects, ElementsAre("work"));
    }
    EXPECT_EQ(server.seen().at(0).header("If-None-Match"), "");
    EXPECT_EQ(server.seen().at(1).header("If-None-Match"), "\"v1\"");
}

TEST(GithubComparisons, that_cannot_be_read_are_unknown) {
    for (const auto* body : {"", "[]", "{}", R"({"ahead_by": -1, "behind_by": 0, "commits": []})",
                             R"({"ahead_by": 1, "behind_by": 0, "commits": [{}]})",
                             R"({"ahead_by": 99999999999, "behind_by": 0, "commits": []})",
                             R"({"ahead_by": 0, "behind_by": 0, "commits": [{"commit": {"message": "more"}}]})",
                             R"({"ahead_by": 1, "behind_by": 0, "commits": [{"commit": {"message": 7}}]})"}) {
        WebServer server{[&](const auto&) { return web_reply(200, body); }};
        Github github{settings_of(server)};
        EXPECT_FALSE(github.compare("up/hub", {"acme/hub", "main"}, {}).difference) << body;
    }
}

// As jobs.
class ForksGithub : public ::testing::Test {
protected:
    ForksGithub() {
        database_.create_queue("forks",
                               "max_attempts => 2, retry_base => '10 milliseconds', retry_cap => '10 milliseconds'");
        database_.execute("select forks.add_fork('acme/hub', branches => '{main,17.0}', provider => 'github')");
    }

    void name_upstream() {
        database_.execute(
            "select forks.change_fork('acme/hub', '{\"upstream_org\": \"up\", \"upstream_repo\": \"hub\"}')");
    }

    void start(const WebServer::Script& script) {
        forge_.emplace(script);
        github_.emplace(settings_of(*forge_));
        start(&*github_);
    }

    void start(Github* github, const std::string& token_problem = "") {
        engine::Registry registry;
        registry.add("forks.sync",
                     std::make_unique<Sync>(pool_, Sync::Settings{.git = {.cache = sandbox_.directory() / "cache"},
                                                                  .github = github,
                                                                  .token_problem = token_problem}));
        auto settings = testing::quick_settings();
        settings.queues.front().name = "forks";
        worker_.emplace(database_.sessions(), std::move(registry), settings);
    }

    void sync(const std::string& branch = "main") {
        database_.execute("select forks.sync_now('acme/hub', $1)", {branch});
    }
    bool result_becomes(const std::string& text) {
        return database_.becomes(
            "select string_agg(concat_ws(' ', state, detail, divergence), ', ' order by job) from forks.results", text);
    }

    testing::GitSandbox sandbox_;
    testing::Database database_;
    storage::SessionPool pool_{database_.sessions()};
    std::optional<WebServer> forge_;
    std::optional<Github> github_;
    std::optional<testing::RunningWorker> worker_;
};

TEST_F(ForksGithub, are_synchronised_and_compared_with_their_upstream) {
    name_upstream();
    start([](const WebRequest& request) {
        if (request.method == "POST") return merged("merge");
        return web_reply(200, R"({"ahead_by": 2, "behind_by": 0, "commits": [{"commit": {"message": "work"}},
                                 {"commit": {"message": "Merge branch 'up:main' into main"}}]})");
    });
    sync();
    EXPECT_TRUE(result_becomes("updated merge diverged"));
    EXPECT_EQ(database_.value("select ahead || ' ' || unmanaged || ' ' || subjects[1] from forks.results"), "2 1 work");
}

TEST_F(ForksGithub, are_not_compared_without_an_upstream_or_after_a_failure) {
    start([](const WebRequest& request) {
        return request.body.find("17.0") != std::string::npos ? says(409, "conflicts") : merged("none");
    });
    sync();
    ASSERT_TRUE(result_becomes("current"));
    name_upstream();
    sync("17.0");
    ASSERT_TRUE(result_becomes("current, conflict conflicts"));
    EXPECT_EQ(forge_->seen().size(), 2U);
}

TEST_F(ForksGithub, stay_synchronised_when_the_comparison_fails) {
    name_upstream();
    start([](const WebRequest& request) { return request.method == "POST" ? merged("none") : says(500, "oops"); });
    sync();
    EXPECT_TRUE(result_becomes("current"));
    EXPECT_EQ(database_.value("select ahead is null from forks.results"), "t");
}

TEST_F(ForksGithub, stay_synchronised_when_the_comparison_breaks_off) {
    name_upstream();
    start([](const WebRequest& request) {
        return request.method == "POST" ? merged("merge") : WebReply{"", WebReply::Then::reset};
    });
    sync();
    EXPECT_TRUE(result_becomes("updated merge"));
    EXPECT_EQ(database_.value("select ahead is null from forks.results"), "t");
    EXPECT_EQ(database_.value("select state || ' ' || attempt from millrace.jobs"), "completed 1");
}

TEST_F(ForksGithub, are_told_of_an_upstream_that_has_moved) {
    name_upstream();
    start([this](const WebRequest& request) {
        if (request.method == "POST") return merged("merge");
        if (request.target == "/repositories/7") return web_reply(200, R"({"full_name": "up/center"})");
        if (request.target == "/repositories/7/compare") {
            return web_reply(200, R"({"ahead_by": 0, "behind_by": 0, "commits": []})");
        }
        return says(301, "Moved", {{"Location", forge_->url() + "/repositories/7/compare"}});
    });
    sync();
    EXPECT_TRUE(result_becomes(
        "updated merge; the upstream has moved to up/center: change upstream_org and upstream_repo clean"));
}

TEST_F(ForksGithub, that_the_token_may_not_write_to_are_dead_letters_at_once) {
    start([](const auto&) { return says(403, "Resource not accessible by personal access token"); });
    sync();
    ASSERT_TRUE(database_.becomes("select count(*) from millrace.dead_letters", "1"));
    EXPECT_THAT(database_.value("select state || ' ' || detail from forks.results"),
                AllOf(HasSubstr("failed GitHub answered 403"), HasSubstr("Contents: read and write")));
    EXPECT_EQ(forge_->seen().size(), 1U);
}

TEST_F(ForksGithub, are_tried_again_while_GitHub_is_down) {
    std::atomic<int> calls{0};
    start([&](const auto&) { return ++calls == 1 ? says(503, "oops") : merged("none"); });
    sync();
    EXPECT_TRUE(result_becomes("current perhaps by an attempt that was interrupted"));
    EXPECT_EQ(database_.value("select max(attempt) from millrace.jobs"), "2");
}

TEST_F(ForksGithub, have_failed_when_GitHub_is_down_at_every_attempt) {
    start([](const auto&) { return says(502, "oops"); });
    sync();
    ASSERT_TRUE(result_becomes("failed GitHub answered 502: oops"));
    EXPECT_EQ(database_.value("select attempt from millrace.dead_letters"), "2");
    EXPECT_EQ(forge_->seen().size(), 2U);
}

TEST_F(ForksGithub, have_failed_when_no_answer_is_whole) {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    const std::vector<WebReply> broken{
        {head + "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", WebReply::Then::close},
        {head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"mer", WebReply::Then::close},
        {head + "Content-Length: 100\r\n\r\n{\"merge_type\"", WebReply::Then::close},
        {"", WebReply::Then::reset},
    };
    std::atomic<std::size_t> call{0};
    start([&](const auto&) { return broken.at(std::min(call++ / 2, broken.size() - 1)); });
    for (std::size_t i = 0; i < broken.size(); ++i) {
        sync();
        ASSERT_TRUE(database_.becomes("select count(*) from millrace.dead_letters", std::to_string(i + 1)));
    }
    EXPECT_EQ(forge_->seen().size(), 2 * broken.size()) << "each twice";
    EXPECT_EQ(database_.value("select count(*) from forks.results where state = 'failed'"
                              " and detail like 'no answer of GitHub: %'"),
              std::to_string(broken.size()));
}

TEST_F(ForksGithub, are_not_asked_again_for_an_answer_that_is_too_large) {
    forge_.emplace([](const auto&) { return web_reply(200, std::string(2000, 'x')); });
    github_.emplace(settings_of(*forge_), adapters::HttpLimits{.body = 1000});
    start(&*github_);
    sync();
    ASSERT_TRUE(database_.becomes("select count(*) from forks.results where state = 'failed'", "1"));
    EXPECT_EQ(forge_->seen().size(), 1U);
    EXPECT_EQ(database_.value("select attempt from millrace.dead_letters"), "1");
}

TEST_F(ForksGithub, stay_synchronised_when_the_comparison_comes_to_a_limit_and_all_others_wait) {
    name_upstream();
    start([](const WebRequest& request) {
        return request.method == "POST" ? merged("merge") : says(429, "slow", {{"Retry-After", "3600"}});
    });
    sync();
    ASSERT_TRUE(result_becomes("updated merge"));
    EXPECT_EQ(database_.value("select ahead is null from forks.results"), "t");
    sync("17.0");
    ASSERT_TRUE(database_.becomes("select count(*) from millrace.jobs where state = 'scheduled' and attempt = 0", "1"));
    EXPECT_EQ(forge_->seen().size(), 2U);
}

TEST_F(ForksGithub, may_have_been_brought_up_to_date_by_an_attempt_that_heard_no_answer) {
    database_.execute("select millrace.pause_kind('forks.sync')");
    start([](const auto&) { return merged("none"); });
    sync();
    database_.execute("insert into forks.push_intent (job_id, intended_at) select id, now() from millrace.jobs");
    database_.execute("select millrace.resume_kind('forks.sync')");
    ASSERT_TRUE(result_becomes("current perhaps by an attempt that was interrupted"));
    sync();
    ASSERT_TRUE(result_becomes("current perhaps by an attempt that was interrupted, current"));
    EXPECT_EQ(database_.value("select count(*) from forks.push_intent"), "0");
}

TEST_F(ForksGithub, wait_together_when_their_token_has_come_to_a_limit) {
    start([](const auto&) { return says(403, "secondary rate limit", {{"Retry-After", "3600"}}); });
    sync();
    ASSERT_TRUE(database_.becomes("select count(*) from millrace.jobs where state = 'scheduled'", "1"));
    EXPECT_EQ(database_.value("select count(*) from millrace.attempt_failure"), "0") << "nobody's fault";
    EXPECT_EQ(database_.value("select attempt from millrace.jobs"), "0") << "no attempt is counted";
    EXPECT_EQ(database_.value("select run_at > millrace.now() + interval '59 minutes' from millrace.jobs"), "t");

    database_.enqueue("forks", "forks.sync", R"({"fork": "acme/hub", "branch": "17.0"})");
    ASSERT_TRUE(database_.becomes("select count(*) from millrace.jobs where state = 'scheduled'", "2"));
    EXPECT_EQ(forge_->seen().size(), 1U) << "the second one does not even ask";
    EXPECT_THAT(database_.value("select token from forks.token_pause"),
                AllOf(HasSubstr("A_TOKEN"), Not(HasSubstr(token))));
}

TEST_F(ForksGithub, were_not_brought_up_to_date_by_an_attempt_that_only_met_the_limit) {
    std::atomic<int> calls{0};
    start([&](const auto&) { return ++calls == 1 ? says(429, "slow", {{"Retry-After", "1"}}) : merged("none"); });
    sync();
    EXPECT_TRUE(result_becomes("current"));
}

TEST_F(ForksGithub, may_have_been_brought_up_to_date_by_an_attempt_before_the_one_that_met_the_limit) {
    std::atomic<int> calls{0};
    start([&](const auto&) {
        const int call = ++calls;
        if (call == 1) return says(502, "oops");
        return call == 2 ? says(429, "slow", {{"Retry-After", "1"}}) : merged("none");
    });
    sync();
    EXPECT_TRUE(result_becomes("current perhaps by an attempt that was interrupted"));
}

TEST_F(ForksGithub, ask_no_more_at_once_than_their_token_has_places) {
    database_.execute("select forks.add_fork('acme/other', provider => 'github')");
    std::promise<void> answer;
    const auto answered = answer.get_future().share();
    start([&](const auto&) {
        answered.wait_for(10s);
        return merged("none");
    });
    database_.execute("select forks.limit_token($1, 1)", {github_->token_name()});
    sync();
    ASSERT_TRUE(database_.becomes("select count(*) from forks.token_use", "1"));
    database_.execute("select forks.sync_now('acme/other')");
    ASSERT_TRUE(database_.becomes("select count(*) from millrace.jobs where state = 'scheduled' and attempt = 0", "1"));
    EXPECT_LE(forge_->seen().size(), 1U);
    answer.set_value();
    EXPECT_TRUE(result_becomes("current, current"));
}

TEST_F(ForksGithub, wait_for_another_worker_where_the_token_is_missing) {
    start(nullptr, "the environment has no variable A_TOKEN");
    sync();
    ASSERT_TRUE(database_.becomes("select count(*) from millrace.jobs where state = 'scheduled' and attempt = 0", "1"));
    EXPECT_EQ(database_.value("select count(*) from forks.results"), "0");
}

TEST_F(ForksGithub, fail_in_clear_words_on_a_worker_without_a_token) {
    start(nullptr);
    sync();
    EXPECT_TRUE(result_becomes("failed this worker has no token for GitHub: set github.token_variable"));
}

}  // namespace
}  // namespace millrace::handlers::forks
