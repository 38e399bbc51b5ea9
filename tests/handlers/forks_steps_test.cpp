// What a run does beside the synchronisation: files and searches against a server that answers as GitHub does, rebasing
// with real repositories; stage by stage, and told in the digest.

#include "adapters/github.hpp"
#include "adapters/mime.hpp"
#include "handlers/forks/digest.hpp"
#include "handlers/forks/stage.hpp"
#include "handlers/forks/step.hpp"
#include "handlers/forks/sync.hpp"
#include "support/database.hpp"
#include "support/git_sandbox.hpp"
#include "support/running_worker.hpp"
#include "support/web_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

namespace millrace::handlers::forks {
namespace {

using namespace std::chrono_literals;
using adapters::Github;
using adapters::GithubAnswer;
using adapters::GithubFileState;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::web_reply;
using testing::WebReply;
using testing::WebRequest;
using testing::WebServer;
using Verdict = GithubAnswer::Verdict;

const std::string token = "ghp_canary0123456789";
const std::string a_day = "2026-01-30T13:00:00Z..2026-01-31T12:59:59Z";

adapters::GithubSettings settings_of(const WebServer& server) {
    return {.api_url = server.url(), .token_variable = "A_TOKEN", .token = token};
}

std::vector<std::string> seen_by(const WebServer& server) {
    std::vector<std::string> lines;
    for (const auto& request : server.seen())
        lines.push_back(request.method + " " + request.target + (request.body.empty() ? "" : " " + request.body));
    return lines;
}

WebReply says(int status, const std::string& message, const testing::WebHeaders& headers = {}) {
    return web_reply(status, fmt::format(R"({{"message": "{}"}})", message), headers);
}

WebReply file(const std::string& content, const std::string& type = "file") {
    auto digits = adapters::base64(content);
    if (digits.size() > 4) digits.insert(4, "\\n");  // as GitHub writes them, in lines
    return web_reply(
        200, fmt::format(R"({{"type": "{}", "encoding": "base64", "sha": "old", "content": "{}"}})", type, digits));
}

struct Put {
    std::optional<GithubFileState> state;
    GithubAnswer refusal;
    std::vector<std::string> announced;
    std::vector<std::string> seen;
};

Put put_file(const WebServer::Script& script) {
    WebServer server{script};
    Github github{settings_of(server)};
    Put put;
    const auto outcome =
        github.put_file({"acme/hub", ".github/port.yml", "new content\n", "default"},
                        [&](GithubFileState state) { put.announced.emplace_back(adapters::name_of(state)); }, {});
    if (const auto* answer = std::get_if<GithubAnswer>(&outcome)) {
        put.refusal = *answer;
    } else {
        put.state = std::get<GithubFileState>(outcome);
    }
    put.seen = seen_by(server);
    return put;
}

TEST(GithubFiles, are_created_where_there_is_none) {
    const auto put = put_file([](const WebRequest& request) {
        return request.method == "GET" ? says(404, "Not Found") : web_reply(201, "{}");
    });
    EXPECT_EQ(put.state, GithubFileState::created);
    EXPECT_THAT(put.announced, ElementsAre("created"));
    EXPECT_THAT(put.seen,
                ElementsAre("GET /repos/acme/hub/contents/.github%2Fport.yml",
                            R"(PUT /repos/acme/hub/contents/.github%2Fport.yml {"content":"bmV3IGNvbnRlbnQK",)"
                            R"("message":"created .github/port.yml from default distributor"})"));
}

TEST(GithubFiles, are_updated_where_they_differ_and_only_there) {
    const auto put = put_file([](const WebRequest& request) {
        return request.method == "GET" ? file("old content\n") : web_reply(200, "{}");
    });
    EXPECT_EQ(put.state, GithubFileState::updated);
    EXPECT_THAT(put.announced, ElementsAre("updated"));
    EXPECT_THAT(put.seen.at(1), AllOf(HasSubstr(R"("sha":"old")"), HasSubstr("updated .github/port.yml from default")));

    const auto same = put_file([](const auto&) { return file("new content\n"); });
    EXPECT_EQ(same.state, GithubFileState::unchanged);
    EXPECT_EQ(same.seen.size(), 1U) << "no empty commit";
}

TEST(GithubFiles, are_asked_for_on_condition_the_second_time) {
    WebServer server{[](const WebRequest& request) {
        if (request.method == "PUT") return web_reply(200, "{}");
        if (request.header("If-None-Match") == "\"v1\"") return web_reply(304, "");
        auto there = file("content\n");
        there.bytes.insert(there.bytes.find("\r\n") + 2, "ETag: \"v1\"\r\n");
        return there;
    }};
    Github github{settings_of(server)};
    const auto put = [&](const std::string& content) {
        return std::get<GithubFileState>(
            github.put_file({"acme/hub", "port.yml", content, "default"}, [](GithubFileState) {}, {}));
    };
    EXPECT_EQ(put("content\n"), GithubFileState::unchanged);
    EXPECT_EQ(put("content\n"), GithubFileState::unchanged);
    EXPECT_EQ(put("other\n"), GithubFileState::updated);
    EXPECT_EQ(put("content\n"), GithubFileState::unchanged) << "it is what is there that counts, not what was asked";
    EXPECT_EQ(server.seen().at(1).header("If-None-Match"), "\"v1\"");
    EXPECT_THAT(server.seen().at(3).body, HasSubstr(R"("sha":"old")"));
}

TEST(GithubFiles, of_a_repository_that_has_moved_are_put_there_without_asking_for_its_name) {
    std::string url;
    WebServer server{[&](const WebRequest& request) {
        if (request.target.starts_with("/repositories/7/contents")) return file("new content\n");
        return says(301, "Moved", {{"Location", url + "/repositories/7/contents/port.yml"}});
    }};
    url = server.url();
    Github github{settings_of(server)};
    const auto put = github.put_file({"acme/hub", "port.yml", "new content\n", "default"}, [](GithubFileState) {}, {});
    EXPECT_EQ(std::get<GithubFileState>(put), GithubFileState::unchanged);
    EXPECT_EQ(server.seen().size(), 2U);
}

TEST(GithubFiles, that_cannot_be_put_say_at_which_step_and_why) {
    const auto answered = [](int get, int put) {
        return put_file([=](const WebRequest& request) {
            if (request.method == "GET") return get == 200 ? file("old") : says(get, "no");
            return says(put, "no");
        });
    };
    const auto forbidden = answered(403, 0);
    EXPECT_EQ(forbidden.refusal.verdict, Verdict::failed);
    EXPECT_THAT(forbidden.refusal.detail, HasSubstr("get .github/port.yml: GitHub answered 403: no"));
    const auto missing = answered(404, 404);
    EXPECT_EQ(missing.refusal.verdict, Verdict::failed);
    EXPECT_THAT(missing.refusal.detail, AllOf(HasSubstr("put .github/port.yml: GitHub answered 404"),
                                              HasSubstr("no such repository, or the token may not see it")));
    EXPECT_EQ(answered(200, 409).refusal.verdict, Verdict::broken) << "somebody has just pushed";
    EXPECT_EQ(answered(200, 502).refusal.verdict, Verdict::broken);
    EXPECT_EQ(answered(404, 422).refusal.verdict, Verdict::failed);
    const auto made = put_file([](const WebRequest& request) {
        return request.method == "GET" ? says(404, "no") : says(422, R"(Invalid request.\n\n\"sha\" wasn't supplied.)");
    });
    EXPECT_EQ(made.refusal.verdict, Verdict::broken) << "somebody has just made the file";
    EXPECT_EQ(answered(200, 429).refusal.verdict, Verdict::limited);
    for (const auto& reply : {file("", "dir"), web_reply(200, "[]"), web_reply(200, "<html>")}) {
        const auto odd = put_file([&](const auto&) { return reply; });
        EXPECT_EQ(odd.refusal.verdict, Verdict::failed);
        EXPECT_EQ(odd.seen.size(), 1U);
    }
}

TEST(GithubSearches, go_through_all_pages_and_know_a_migration_by_its_title) {
    WebServer server{[](const WebRequest& request) {
        if (request.target.ends_with("page=1")) {
            return web_reply(200,
                             R"({"incomplete_results": false, "items": [{"number": 1, "title": "[17.0][MIG] a"},
                                 {"number": 2, "title": "MIG without brackets"}]})",
                             {{"Link", "<https://x/?page=2>; rel=\"next\""}});
        }
        return web_reply(200, R"({"items": [{"number": 3, "title": "[MIG] )" + token + R"("}]})");
    }};
    Github github{settings_of(server)};
    const auto found = github.merged_pulls({"up/hub", "17.0", a_day, "MIG"}, {});
    const auto& pulls = std::get<std::vector<adapters::GithubPull>>(found);
    ASSERT_EQ(pulls.size(), 2U);
    EXPECT_EQ(pulls[0].number, 1);
    EXPECT_EQ(pulls[1].title, "[MIG] ***");
    EXPECT_THAT(
        seen_by(server).at(0),
        HasSubstr("GET /search/issues?q=MIG%20in%3Atitle%20repo%3Aup%2Fhub%20is%3Apr%20is%3Amerged%20base%3A17.0"
                  "%20merged%3A2026-01-30T13%3A00%3A00Z..2026-01-31T12%3A59%3A59Z&per_page=100&page=1"));
    EXPECT_EQ(server.seen().size(), 2U);
}

TEST(GithubSearches, that_came_to_no_end_are_tried_again) {
    for (const auto* body : {"[]", "{}", R"({"items": [7]})", R"({"items": [{"number": -1, "title": "x"}]})",
                             R"({"incomplete_results": true, "items": []})"}) {
        WebServer server{[&](const auto&) { return web_reply(200, body); }};
        Github github{settings_of(server)};
        const auto found = github.merged_pulls({"up/hub", "17.0", a_day, "MIG"}, {});
        EXPECT_EQ(std::get<GithubAnswer>(found).verdict, Verdict::broken) << body;
    }
    WebServer server{[&](const auto&) { return says(422, "cannot be searched"); }};
    Github github{settings_of(server)};
    const auto found = github.merged_pulls({"up/hub", "17.0", a_day, "MIG"}, {});
    EXPECT_EQ(std::get<GithubAnswer>(found).verdict, Verdict::failed);
    EXPECT_THAT(std::get<GithubAnswer>(found).detail, HasSubstr("search: GitHub answered 422: cannot be searched"));
}

TEST(GithubBranches, are_listed_page_by_page) {
    WebServer server{[](const WebRequest& request) {
        if (request.target.ends_with("&page=1")) {
            return web_reply(200, R"([{"name": "main"}, {"name": "feature/ä"}])",
                             {{"Link", "<https://x/?page=2>; rel=\"next\""}});
        }
        return web_reply(200, R"([{"name": "17.0"}])", {{"Link", "<https://x/?page=1>; rel=\"prev\""}});
    }};
    Github github{settings_of(server)};
    const auto listed = github.branches("acme/hub", {.stop = {}, .traceparent = "00-a-b-01"});
    EXPECT_THAT(std::get<std::vector<std::string>>(listed), ElementsAre("main", "feature/ä", "17.0"));
    EXPECT_THAT(seen_by(server), ElementsAre("GET /repos/acme/hub/branches?per_page=100&page=1",
                                             "GET /repos/acme/hub/branches?per_page=100&page=2"));
    for (const auto& request : server.seen())
        EXPECT_EQ(request.header("traceparent"), "00-a-b-01");
}

TEST(GithubBranches, that_cannot_be_listed_say_why_and_end) {
    const auto verdict_of = [](const WebReply& reply) {
        WebServer server{[&](const auto&) { return reply; }};
        Github github{settings_of(server)};
        return std::get<GithubAnswer>(github.branches("acme/hub", {})).verdict;
    };
    for (const auto* body : {"{}", "", "[7]", R"([{"name": 7}])"})
        EXPECT_EQ(verdict_of(web_reply(200, body)), Verdict::broken) << body;
    EXPECT_EQ(verdict_of(says(404, "Not Found")), Verdict::failed);
    EXPECT_EQ(verdict_of(says(429, "slow")), Verdict::limited);
    EXPECT_EQ(verdict_of(web_reply(200, "[]", {{"Link", "<https://x/>; rel=\"next\""}})), Verdict::failed) << "no end";
}

TEST(GithubRemotes, are_where_the_interface_has_its_repositories_and_no_address_has_the_token) {
    const auto remote_of = [](const std::string& api_url) {
        return Github{{.api_url = api_url, .token_variable = "A_TOKEN", .token = token, .ca_file = "/ca.pem"}}.remote(
            "acme/hub");
    };
    EXPECT_EQ(remote_of("https://api.github.com").url, "https://github.com/acme/hub.git");
    EXPECT_EQ(remote_of("https://git.example.org/api/v3").url, "https://git.example.org/acme/hub.git");
    EXPECT_EQ(remote_of("https://api.acme.ghe.com").url, "https://acme.ghe.com/acme/hub.git");
    EXPECT_THAT(remote_of("https://api.github.com").environment,
                ElementsAre("GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.https://github.com/.extraHeader",
                            "GIT_CONFIG_VALUE_0=Authorization: Basic " + adapters::base64("x-access-token:" + token),
                            "GIT_SSL_CAINFO=/ca.pem"));
}

// As jobs.
class ForksSteps : public ::testing::Test {
protected:
    ForksSteps() {
        database_.create_queue("forks",
                               "max_attempts => 2, retry_base => '10 milliseconds', retry_cap => '10 milliseconds'");
        database_.execute(
            R"(select forks.configure_group('default', '{"template_path": "port.yml", "template": "x"}'))");
        database_.execute("select forks.add_fork('acme/hub', branches => '{17.0}', provider => 'github')");
        change("acme/hub", R"({"upstream_org": "up", "upstream_repo": "hub"})");
    }

    void change(const std::string& fork, const std::string& changes) {
        database_.execute("select forks.change_fork($1, $2)", {fork, changes});
    }

    std::string add_git_fork() {
        const auto upstream = sandbox_.make("upstream");
        sandbox_.commit(upstream, "main", "a", "one\n");
        auto path = sandbox_.clone(upstream, "fork");
        sandbox_.reset(path, "feature/x", sandbox_.tip(path, "main"));
        sandbox_.commit(path, "feature/x", "x", "1\n");
        sandbox_.commit(upstream, "main", "a", "two\n");
        database_.execute("select forks.add_fork('acme/plain', $1, $2)", {path, upstream});
        change("acme/plain", R"({"rebase_onto": "main", "rebase_globs": ["feature/*"]})");
        return path;
    }

    void start(const WebServer::Script& script) {
        forge_.emplace(script);
        github_.emplace(settings_of(*forge_));
        const CopySettings copies{.cache = sandbox_.directory() / "cache",
                                  .git = {.environment = {fmt::format("PATH={}", std::getenv("PATH"))}}};
        engine::Registry registry;
        registry.add("forks.stage", std::make_unique<Stage>());
        registry.add("forks.digest", std::make_unique<Digest>());
        registry.add("forks.sync", std::make_unique<Sync>(pool_, Sync::Settings{.git = copies, .github = &*github_}));
        for (const auto* kind : {"forks.search", "forks.distribute", "forks.rebase"}) {
            registry.add(kind, std::make_unique<Step>(pool_, Step::Settings{.git = copies, .github = &*github_}));
        }
        auto settings = testing::quick_settings();
        settings.queues.front().name = "forks";
        worker_.emplace(database_.sessions(), std::move(registry), settings);
    }

    void start_run() { database_.execute("select forks.start_run('default')"); }
    bool has_finished() { return database_.becomes("select state from forks.runs", "finished"); }
    std::string steps() {
        return database_.value(
            "select string_agg(concat_ws(' ', step, target, item, s.state, detail), '; '"
            " order by step, target, item) from forks.runs r, forks.run_steps(r.id) s");
    }

    static WebReply usual(const WebRequest& request) {
        if (request.method == "POST") return web_reply(200, R"({"merge_type": "none", "message": "x"})");
        if (request.method == "PUT") return web_reply(201, "{}");
        if (request.target.starts_with("/search")) {
            return web_reply(200, R"({"items": [{"number": 7, "title": "[MIG] thing"}]})");
        }
        return says(404, "Not Found");
    }

    testing::GitSandbox sandbox_;
    testing::Database database_;
    storage::SessionPool pool_{database_.sessions()};
    std::optional<WebServer> forge_;
    std::optional<Github> github_;
    std::optional<testing::RunningWorker> worker_;
};

TEST_F(ForksSteps, come_stage_by_stage_and_the_digest_tells_of_them) {
    change("acme/hub", R"({"upstream_track": "17.0", "install_forward_port": true})");
    const auto path = add_git_fork();
    start(usual);
    start_run();
    ASSERT_TRUE(has_finished());
    EXPECT_EQ(steps(),
              "distribute acme/hub created port.yml; rebase acme/plain feature/x rebased 1 commit on main;"
              " search up/hub 7 found [MIG] thing");
    EXPECT_EQ(sandbox_.git(path, {"rev-parse", "feature/x~1"}), sandbox_.tip(path, "main"))
        << "on what was synchronised";
    EXPECT_EQ(database_.value("select string_agg(kind, ' ' order by id) from millrace.jobs where kind <> 'forks.sync'"),
              "forks.search forks.stage forks.distribute forks.stage forks.rebase forks.digest");
    EXPECT_THAT(database_.value("select subject from forks.digests"),
                AllOf(HasSubstr("— 1 MIG"), Not(HasSubstr("⚠️"))));
    EXPECT_THAT(database_.value("select text from forks.digests"),
                AllOf(HasSubstr("acme/hub: created port.yml"), HasSubstr("acme/plain feature/x: 1 commit on main"),
                      HasSubstr("up/hub#7: [MIG] thing")));
}

TEST_F(ForksSteps, that_a_provider_cannot_do_have_failed_and_say_why) {
    add_git_fork();
    change("acme/plain", R"({"upstream_org": "up", "upstream_repo": "plain", "upstream_track": "main",)"
                         R"( "install_forward_port": true, "rebase_globs": []})");
    start(usual);
    start_run();
    ASSERT_TRUE(has_finished());
    EXPECT_THAT(steps(), AllOf(HasSubstr("distribute acme/plain failed files are distributed through GitHub"),
                               HasSubstr("search up/plain failed plain git knows no pull requests")));
    EXPECT_EQ(database_.value("select failures from forks.digests"), "1");
    EXPECT_THAT(database_.value("select text from forks.digests"),
                AllOf(HasSubstr("Distribution failures\n  acme/plain: files are"),
                      HasSubstr("Search failures\n  up/plain main: failed: plain git")));
}

TEST_F(ForksSteps, rebase_nothing_on_GitHub_and_fetch_nothing_when_no_branch_fits) {
    change("acme/hub", R"({"rebase_onto": "18.0", "rebase_globs": ["1*", "feature/*"]})");
    start([](const WebRequest& request) {
        if (request.target.starts_with("/repos/acme/hub/branches")) {
            return web_reply(200, R"([{"name": "17.0"}, {"name": "18.0"}, {"name": "fixes/1"}])");
        }
        return usual(request);
    });
    start_run();
    ASSERT_TRUE(has_finished());
    EXPECT_EQ(steps(), "rebase acme/hub done no branch fits the patterns");
    EXPECT_EQ(forge_->seen().size(), 3U) << "to synchronise, to compare, and for the list";
    EXPECT_FALSE(std::filesystem::exists(sandbox_.directory() / "cache/forks/acme/hub.git"));
}

TEST_F(ForksSteps, count_as_done_by_the_run_when_an_attempt_of_it_was_interrupted) {
    change("acme/hub", R"({"install_forward_port": true})");
    database_.execute("select millrace.pause_kind('forks.distribute')");
    start([](const WebRequest& request) { return request.method == "GET" ? file("x") : usual(request); });
    start_run();
    ASSERT_TRUE(database_.becomes("select count(*) from forks.run_step where job_id <> 0", "1"));
    database_.execute("update forks.run_step set intended = 'updated'");
    database_.execute("select millrace.resume_kind('forks.distribute')");
    ASSERT_TRUE(has_finished());
    EXPECT_EQ(steps(), "distribute acme/hub updated port.yml");
}

TEST_F(ForksSteps, wait_with_all_others_of_a_token_at_its_limit) {
    change("acme/hub", R"({"install_forward_port": true})");
    start([](const WebRequest& request) {
        return request.method == "GET" ? says(429, "slow", {{"Retry-After", "3600"}}) : usual(request);
    });
    start_run();
    ASSERT_TRUE(database_.becomes("select count(*) from forks.token_pauses", "1"));
    ASSERT_TRUE(database_.becomes(
        "select count(*) from millrace.jobs where kind = 'forks.distribute' and state = 'scheduled' and attempt = 0",
        "1"));
}

TEST_F(ForksSteps, that_are_no_longer_wanted_are_skipped_and_those_of_no_run_refused) {
    change("acme/hub", R"({"install_forward_port": true})");
    database_.execute("select millrace.pause_kind('forks.distribute')");
    start(usual);
    start_run();
    ASSERT_TRUE(database_.becomes("select count(*) from forks.run_step where job_id <> 0", "1"));
    change("acme/hub", R"({"install_forward_port": false})");
    database_.execute("select millrace.resume_kind('forks.distribute')");
    ASSERT_TRUE(has_finished());
    EXPECT_EQ(steps(), "distribute acme/hub skipped the fork is disabled, or has opted out");

    for (const auto* kind : {"forks.search", "forks.distribute", "forks.rebase", "forks.stage"})
        database_.enqueue("forks", kind, "{}");
    ASSERT_TRUE(database_.becomes("select count(*) from millrace.dead_letters", "4"));
    EXPECT_THAT(database_.value("select string_agg(distinct error, '; ' order by error) from millrace.dead_letters"),
                "the job is no step of a run; forks.start_run enqueues those; the payload must name a run; write"
                " {\"run\": 17}");
}

TEST_F(ForksSteps, need_a_template_to_distribute) {
    database_.execute(R"(select forks.configure_group('default', '{"template_path": null, "template": null}'))");
    change("acme/hub", R"({"install_forward_port": true})");
    start(usual);
    start_run();
    ASSERT_TRUE(has_finished());
    EXPECT_EQ(steps(), "distribute acme/hub failed the group default has no template_path and template");
    EXPECT_THAT(database_.value("select subject from forks.digests"), HasSubstr("— ⚠️ 1 dist fail"));
}

}  // namespace
}  // namespace millrace::handlers::forks
