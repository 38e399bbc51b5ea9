// The build services: what is asked of them, what their answers mean, and how they fail. A server on this host answers
// as each test says; the stages around it are real.

#include "support/pipeline_stages.hpp"
#include "support/prism.hpp"
#include "support/web_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>

namespace millrace::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Answers what `answers` says for "METHOD /path", the last of several from then on; 404 for all else.
class Service {
public:
    void answers(const std::string& call, std::vector<WebReply> replies) {
        replies_.with([&](auto& all) { all[call] = std::move(replies); });
    }
    [[nodiscard]] std::string url() const { return server_.url(); }
    [[nodiscard]] std::vector<WebRequest> seen() const { return server_.seen(); }

private:
    using Replies = std::map<std::string, std::vector<WebReply>>;

    static WebReply next(Replies& all, const WebRequest& request) {
        const auto found = all.find(request.method + " " + request.target.substr(0, request.target.find('?')));
        if (found == all.end()) return web_reply(404, "not found");
        auto& replies = found->second;
        auto reply = replies.front();
        if (replies.size() > 1) replies.erase(replies.begin());
        return reply;
    }

    core::Guarded<Replies> replies_;
    WebServer server_{
        [this](const WebRequest& request) { return replies_.with([&](auto& all) { return next(all, request); }); }};
};

WebReply json_reply(int status, const json& body) {
    return web_reply(status, body.dump(), {{"Content-Type", "application/json"}});
}

constexpr auto token = "canary-9d1f";
constexpr auto traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

// A pipeline queue whose builds are made by the service at this address.
void use(PipelineStages& pipeline, const std::string& runner, json settings, const std::string& url) {
    settings["base_url"] = url;
    settings["token_env"] = "PIPELINE_TOKEN";
    pipeline.database().execute("select pipeline.use_service('shop/main', $1, $2::jsonb)", {runner, settings.dump()});
}

void use_github_at(PipelineStages& pipeline, const std::string& url) {
    use(pipeline, "github_actions", {{"repository", "acme/shop"}, {"workflow", "validate.yml"}, {"ref", "main"}}, url);
}

void use_buildkite_at(PipelineStages& pipeline, const std::string& url) {
    use(pipeline, "buildkite", {{"organization", "acme"}, {"pipeline", "shop"}, {"branch", "main"}}, url);
}

class PipelineServices : public ::testing::Test {
protected:
    void use_github() {
        use_github_at(pipeline_, service_.url());
        service_.answers(dispatch, {json_reply(200, {{"workflow_run_id", 77},
                                                     {"run_url", "https://api.github.com/x"},
                                                     {"html_url", "https://github.com/x"}})});
        service_.answers(jobs, {json_reply(200, {{"total_count", 0}, {"jobs", json::array()}})});
    }
    void use_buildkite() {
        use_buildkite_at(pipeline_, service_.url());
        service_.answers(builds, {json_reply(201, {{"number", 5}, {"state", "scheduled"}})});
    }
    static WebReply github_run(const char* status, const json& conclusion) {
        return json_reply(200, {{"id", 77},
                                {"status", status},
                                {"conclusion", conclusion},
                                {"html_url", "https://github.com/acme/shop/actions/runs/77"}});
    }
    static WebReply buildkite_build(const char* state) {
        return json_reply(200,
                          {{"number", 5}, {"state", state}, {"web_url", "https://buildkite.com/acme/shop/builds/5"}});
    }
    // A new head, up to the trigger; what became of that.
    std::string trigger() {
        pipeline_.push({{"a", "1"}});
        EXPECT_EQ(pipeline_.step("pipeline.process"), "completed");
        pipeline_.database().execute("update millrace.job set traceparent = $1 where kind = 'pipeline.build'",
                                     {traceparent});
        return pipeline_.step("pipeline.build");
    }
    std::string signal() {
        pipeline_.database().execute("select millrace.retry(id) from millrace.jobs where state = 'scheduled'");
        return pipeline_.step("pipeline.buildsignal");
    }
    std::string build(const std::string& column) {
        return pipeline_.database().value("select " + column + " from pipeline.build");
    }
    // As GitHub says that there is a limit, and how many seconds it is left alone then.
    static std::vector<std::pair<WebReply, int>> rate_limits() {
        const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
        const auto until = [&](int seconds) { return std::to_string(now + seconds); };
        return {{web_reply(429, "slow down", {{"Retry-After", "120"}}), 120},
                {web_reply(403, "no", {{"Retry-After", "120"}}), 120},
                {web_reply(403, "no", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", until(600)}}), 600},
                {web_reply(429, "no", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", until(86400)}}), 3600},
                {json_reply(403, {{"message", "You have exceeded a secondary rate limit."}}), 60}};
    }
    // A busy machine may take some seconds of it.
    bool is_put_off(const std::string& kind, int seconds) {
        return pipeline_.database().value(fmt::format("select run_at - now() between '{} s' and '{} s'"
                                                      " from millrace.jobs where kind = '{}'",
                                                      seconds - 20, seconds + 1, kind)) == "t";
    }

    static constexpr auto dispatch = "POST /repos/acme/shop/actions/workflows/validate.yml/dispatches";
    static constexpr auto run = "GET /repos/acme/shop/actions/runs/77";
    static constexpr auto jobs = "GET /repos/acme/shop/actions/runs/77/jobs";
    static constexpr auto builds = "POST /v2/organizations/acme/pipelines/shop/builds";
    static constexpr auto one_build = "GET /v2/organizations/acme/pipelines/shop/builds/5";

    PipelineStages pipeline_{"", {{"PIPELINE_TOKEN", token}}};
    Service service_;
};

using GithubActions = PipelineServices;
using Buildkite = PipelineServices;

TEST_F(GithubActions, are_dispatched_with_the_commits_and_followed_to_their_end) {
    use_github();
    service_.answers(
        run, {github_run("queued", nullptr), github_run("in_progress", nullptr), github_run("completed", "success")});
    EXPECT_EQ(trigger(), "completed");
    EXPECT_EQ(build("id"), "github/77");
    const auto asked = service_.seen().at(0);
    EXPECT_EQ(asked.header("Authorization"), std::string{"Bearer "} + token);
    EXPECT_EQ(asked.header("Accept"), "application/vnd.github+json");
    EXPECT_EQ(asked.header("traceparent"), traceparent);
    const auto body = json::parse(asked.body);
    const auto head = pipeline_.remote().head();
    EXPECT_EQ(body.at("ref"), "main");
    EXPECT_EQ(body.at("return_run_details"), true);
    EXPECT_EQ(body.at("inputs"), (json{{"head_sha", head},
                                       {"base_sha", ""},
                                       {"head_uri", pipeline_.uri(head)},
                                       {"base_uri", ""},
                                       {"project", ""}}));
    EXPECT_EQ(signal(), "snoozed");
    EXPECT_EQ(build("status"), "accepted");
    EXPECT_EQ(signal(), "snoozed");
    EXPECT_EQ(build("status"), "running");
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(build("status || ': ' || reason"), "succeeded: the run ended with success");
    EXPECT_EQ(build("log_location"), "https://github.com/acme/shop/actions/runs/77");
    EXPECT_EQ(pipeline_.step("pipeline.record"), "completed");
    EXPECT_EQ(pipeline_.degree(head), "0");
}

TEST_F(GithubActions, that_wait_between_two_jobs_go_on_running) {
    use_github();
    service_.answers(run, {github_run("in_progress", nullptr), github_run("waiting", nullptr),
                           github_run("queued", nullptr), github_run("completed", "success")});
    EXPECT_EQ(trigger(), "completed");
    for (int look = 0; look < 3; ++look) {
        EXPECT_EQ(signal(), "snoozed");
        EXPECT_EQ(build("status"), "running");
    }
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(build("status"), "succeeded");
}

TEST_F(GithubActions, are_green_only_when_the_conclusion_is_success) {
    for (const auto& [conclusion, status] : std::map<std::string, std::string>{{"success", "succeeded"},
                                                                               {"failure", "failed"},
                                                                               {"neutral", "failed"},
                                                                               {"skipped", "failed"},
                                                                               {"timed_out", "failed"},
                                                                               {"action_required", "failed"},
                                                                               {"stale", "failed"},
                                                                               {"startup_failure", "failed"},
                                                                               {"", "failed"},
                                                                               {"cancelled", "cancelled"}}) {
        PipelineStages pipeline{"", {{"PIPELINE_TOKEN", token}}};
        Service service;
        use_github_at(pipeline, service.url());
        service.answers(dispatch, {json_reply(200, {{"workflow_run_id", 77}})});
        service.answers(run, {github_run("completed", conclusion)});
        service.answers(jobs, {json_reply(200, {{"jobs", json::array()}})});
        pipeline.push({{"a", "1"}});
        pipeline.steps({"process", "build", "buildsignal"});
        EXPECT_EQ(pipeline.database().value("select status from pipeline.build"), status) << conclusion;
    }
}

TEST_F(GithubActions, name_the_jobs_that_failed_page_by_page) {
    use_github();
    json first = json::array();
    for (int i = 0; i < 100; ++i)
        first.push_back({{"name", "job " + std::to_string(i)}, {"conclusion", i == 3 ? "failure" : "success"}});
    const json second{{{"name", "last"}, {"conclusion", "timed_out"}}, {{"name", "none"}, {"conclusion", "skipped"}}};
    service_.answers(run, {github_run("completed", "failure")});
    service_.answers(jobs, {json_reply(200, {{"jobs", first}}), json_reply(200, {{"jobs", second}})});
    trigger();
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(build("reason"), "the run ended with failure, failed: job 3, last");
    EXPECT_THAT(service_.seen().back().target, HasSubstr("per_page=100&page=2"));
}

TEST_F(GithubActions, ask_nothing_that_the_description_of_their_interface_does_not_allow) {
    const auto description = std::string{MILLRACE_SOURCE_DIR} + "/tests/support/github-openapi-subset.json";
    std::ifstream file{description};
    const auto examples = json::parse(file).at("components").at("examples");
    auto queued = examples.at("workflow-run").at("value");
    auto ended = queued;
    ended["status"] = "completed";
    ended["conclusion"] = "failure";
    queued["status"] = "queued";
    queued["conclusion"] = nullptr;
    const Prism prism{description, service_.url()};
    use_github_at(pipeline_, prism.url());
    const auto started = examples.at("workflow-dispatch-response").at("value");
    const auto number = std::to_string(started.at("workflow_run_id").get<std::int64_t>());
    const auto of_run = "/repos/acme/shop/actions/runs/" + number;
    service_.answers(dispatch, {json_reply(200, started)});
    service_.answers("GET " + of_run, {json_reply(200, queued), json_reply(200, ended)});
    auto of_jobs = examples.at("job-paginated").at("value");
    for (auto& job : of_jobs.at("jobs"))
        job["created_at"] = job.at("started_at");  // which GitHub's own example lacks, and its schema requires
    service_.answers("GET " + of_run + "/jobs", {json_reply(200, of_jobs)});
    service_.answers("POST " + of_run + "/cancel", {json_reply(202, json::object())});
    EXPECT_EQ(trigger(), "completed");
    EXPECT_EQ(build("id"), "github/" + number);
    pipeline_.database().execute("update pipeline.build set created_at = created_at - interval '30 days'");
    pipeline_.lose("pipeline.buildsignal");
    EXPECT_THAT(service_.seen().back().target, HasSubstr("/cancel"));
    EXPECT_EQ(signal(), "completed");
    EXPECT_THAT(build("status || ': ' || reason"), HasSubstr("failed: the run ended with failure"));
}

TEST_F(GithubActions, that_do_not_say_which_run_they_started_are_a_dead_letter) {
    use_github();
    service_.answers(dispatch, {web_reply(204, "")});
    EXPECT_THAT(trigger(), HasSubstr("discarded: GitHub started a run and did not say which"));
}

TEST_F(GithubActions, that_forget_the_build_are_a_dead_letter) {
    use_github();
    service_.answers(run, {github_run("in_progress", nullptr), web_reply(404, R"({"message": "Not Found"})")});
    trigger();
    EXPECT_EQ(signal(), "snoozed");
    EXPECT_THAT(signal(), HasSubstr("discarded: GitHub, GET /repos/acme/shop/actions/runs/77: answered 404"));
}

TEST_F(GithubActions, that_flip_their_terminal_answer_are_believed_once) {
    use_github();
    service_.answers(run, {github_run("completed", "success"), github_run("completed", "failure")});
    trigger();
    pipeline_.lose("pipeline.buildsignal");
    EXPECT_EQ(signal(), "completed") << "the first answer was never stored: the second one is the first";
    EXPECT_EQ(build("status"), "failed");
    service_.answers(run, {github_run("completed", "success")});
    pipeline_.database().execute(
        "select millrace.enqueue('pipeline', 'pipeline.buildsignal', payload) from millrace.jobs"
        " where kind = 'pipeline.buildsignal'");
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(build("status"), "failed");
    EXPECT_EQ(pipeline_.step("pipeline.record"), "completed");
    EXPECT_EQ(pipeline_.degree(pipeline_.remote().head()), "1");
}

TEST_F(GithubActions, are_cancelled_when_a_build_takes_too_long) {
    use_github();
    const auto* cancel = "POST /repos/acme/shop/actions/runs/77/cancel";
    service_.answers(run, {github_run("in_progress", nullptr)});
    service_.answers(cancel, {web_reply(202, "{}")});
    trigger();
    pipeline_.database().execute("update pipeline.build set created_at = created_at - interval '30 days'");
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(build("status"), "failed");
    EXPECT_EQ(service_.seen().back().method + " " + service_.seen().back().target, cancel);
}

TEST_F(GithubActions, are_cancelled_when_the_request_fails_closed) {
    use_github();
    const auto* cancel = "POST /repos/acme/shop/actions/runs/77/cancel";
    service_.answers(run, {github_run("in_progress", nullptr)});
    trigger();
    EXPECT_EQ(signal(), "snoozed");
    pipeline_.database().execute(
        "select millrace.cancel(id, 'not this one') from millrace.jobs where kind = 'pipeline.buildsignal'");
    EXPECT_EQ(pipeline_.state(1), "failed full");
    service_.answers(cancel, {web_reply(500, "out of order"), web_reply(202, "{}")});
    EXPECT_THAT(pipeline_.step("pipeline.calloff"), HasSubstr("failed: "));
    EXPECT_EQ(build("status"), "running");
    pipeline_.database().execute("select millrace.retry(id) from millrace.jobs where state = 'scheduled'");
    EXPECT_EQ(pipeline_.step("pipeline.calloff"), "completed");
    EXPECT_EQ(service_.seen().back().method + " " + service_.seen().back().target, cancel);
    EXPECT_EQ(build("status || ': ' || reason"), "cancelled: called off");
    use_buildkite();  // nothing is under way any more
}

TEST_F(GithubActions, that_will_not_be_cancelled_have_ended_for_us) {
    use_github();
    service_.answers(run, {github_run("in_progress", nullptr)});
    trigger();
    pipeline_.database().execute("select millrace.cancel(id) from millrace.jobs where kind = 'pipeline.buildsignal'");
    service_.answers("POST /repos/acme/shop/actions/runs/77/cancel", {web_reply(403, "no")});
    EXPECT_EQ(pipeline_.step("pipeline.calloff"), "completed");
    EXPECT_EQ(build("status"), "cancelled");
    EXPECT_THAT(build("reason"), HasSubstr("called off; "));
}

TEST_F(GithubActions, that_have_ended_when_they_are_cancelled_are_left_alone) {
    use_github();
    for (const int status : {404, 409}) {
        service_.answers("POST /repos/acme/shop/actions/runs/77/cancel", {web_reply(status, "{}")});
        service_.answers(run, {github_run("in_progress", nullptr)});
        if (status == 404) trigger();
        pipeline_.database().execute("update pipeline.build set created_at = created_at - interval '30 days'");
        pipeline_.lose("pipeline.buildsignal");
    }
    EXPECT_EQ(signal(), "completed");
}

TEST_F(PipelineServices, are_asked_again_after_what_may_pass) {
    use_github();
    for (const int status : {408, 429, 500, 502, 503, 504}) {
        service_.answers(dispatch, {web_reply(status, "later")});
        if (status == 408) {
            EXPECT_THAT(trigger(), HasSubstr("failed: GitHub, POST")) << status;
        } else {
            pipeline_.database().execute("select millrace.retry(id) from millrace.jobs where state = 'scheduled'");
            EXPECT_THAT(pipeline_.step("pipeline.build"), HasSubstr("failed: GitHub, POST")) << status;
        }
    }
    EXPECT_EQ(pipeline_.count("build"), "0");
}

TEST_F(PipelineServices, are_given_up_after_what_lasts_and_never_followed_elsewhere) {
    for (const int status : {301, 302, 307, 400, 401, 403, 404, 410, 422}) {
        PipelineStages pipeline{"", {{"PIPELINE_TOKEN", token}}};
        Service service;
        use_buildkite_at(pipeline, service.url());
        service.answers(builds, {web_reply(status, "no", {{"Location", service.url() + "/elsewhere"}})});
        pipeline.push({{"a", "1"}});
        pipeline.step("pipeline.process");
        EXPECT_THAT(pipeline.step("pipeline.build"), HasSubstr("discarded: Buildkite, POST")) << status;
        EXPECT_EQ(service.seen().size(), 1U) << status;
    }
}

TEST_F(PipelineServices, are_left_alone_as_long_as_they_ask_also_when_GitHub_calls_a_limit_forbidden) {
    use_github();
    pipeline_.push({{"a", "1"}});
    pipeline_.step("pipeline.process");
    for (const auto& [limit, wait] : rate_limits()) {
        service_.answers(dispatch, {limit});
        pipeline_.database().execute("select millrace.retry(id) from millrace.jobs where state = 'scheduled'");
        EXPECT_THAT(pipeline_.step("pipeline.build"), HasSubstr("failed: GitHub, POST")) << wait;
        EXPECT_TRUE(is_put_off("pipeline.build", wait)) << wait;
    }
}

TEST_F(PipelineServices, at_a_rate_limit_lose_no_build_that_is_under_way_and_are_told_later_to_stop_it) {
    use_github();
    trigger();
    for (const auto& [limit, wait] : rate_limits()) {
        service_.answers(run, {limit});
        EXPECT_EQ(signal(), "snoozed") << wait;
        EXPECT_TRUE(is_put_off("pipeline.buildsignal", wait)) << wait;
    }
    service_.answers("POST /repos/acme/shop/actions/runs/77/cancel", {rate_limits().at(1).first, web_reply(202, "{}")});
    pipeline_.database().execute("update pipeline.build set created_at = created_at - interval '30 days'");
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(pipeline_.step("pipeline.calloff"), "completed");
}

TEST_F(PipelineServices, that_cannot_be_reached_or_answer_no_json_are_asked_again) {
    use_github();
    service_.answers(dispatch, {{"", WebReply::Then::reset},
                                web_reply(200, "<html>"),
                                {"HTTP/1.1 200 OK\r\nContent-Len", WebReply::Then::close}});
    EXPECT_THAT(trigger(), HasSubstr("failed: GitHub"));
    for (int i = 0; i < 2; ++i) {
        pipeline_.database().execute("select millrace.retry(id) from millrace.jobs where state = 'scheduled'");
        EXPECT_THAT(pipeline_.step("pipeline.build"), HasSubstr("failed: GitHub"));
    }
}

TEST_F(PipelineServices, that_do_not_answer_while_they_build_are_waited_for_and_no_attempt_is_counted) {
    use_github();
    service_.answers(
        run, {web_reply(503, "later", {{"Retry-After", "120"}}), web_reply(200, "<html>"),
              github_run("in_progress", nullptr), web_reply(502, "out of order"), github_run("completed", "success")});
    trigger();
    EXPECT_EQ(signal(), "snoozed");
    EXPECT_THAT(build("status || ': ' || reason"), HasSubstr("accepted: GitHub, GET /repos/acme/shop/actions/runs/77"));
    EXPECT_EQ(pipeline_.database().value("select attempt = 0 and run_at - now() between '100 s' and '121 s'"
                                         " from millrace.jobs where kind = 'pipeline.buildsignal'"),
              "t");
    EXPECT_EQ(signal(), "snoozed");
    EXPECT_EQ(signal(), "snoozed");
    EXPECT_EQ(build("status || ': ' || coalesce(reason, '')"), "running: ") << "what was in the way is not any more";
    EXPECT_EQ(signal(), "snoozed");
    EXPECT_THAT(build("status || ': ' || reason"), HasSubstr("running: GitHub, GET"));
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(build("status || ': ' || reason"), "succeeded: the run ended with success");
}

TEST_F(PipelineServices, that_do_not_answer_for_too_long_are_told_to_stop_when_they_do) {
    use_github();
    const auto* cancel = "POST /repos/acme/shop/actions/runs/77/cancel";
    service_.answers(run, {web_reply(503, "later")});
    service_.answers(cancel, {web_reply(503, "later"), web_reply(202, "{}")});
    trigger();
    pipeline_.database().execute("update pipeline.build set created_at = created_at - interval '30 days'");
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(pipeline_.state(1), "failed full");
    EXPECT_THAT(build("status || ': ' || reason"),
                AllOf(HasSubstr("failed: took longer than 2h; GitHub, GET"), HasSubstr("; GitHub, POST")));
    EXPECT_EQ(pipeline_.step("pipeline.record"), "completed");
    EXPECT_EQ(pipeline_.degree(pipeline_.remote().head()), "1");
    EXPECT_EQ(pipeline_.step("pipeline.calloff"), "completed");
    EXPECT_EQ(service_.seen().back().method + " " + service_.seen().back().target, cancel);
    EXPECT_EQ(build("status"), "failed");
}

TEST_F(PipelineServices, that_refuse_to_stop_what_took_too_long_are_left_alone) {
    use_github();
    service_.answers(run, {github_run("in_progress", nullptr)});
    service_.answers("POST /repos/acme/shop/actions/runs/77/cancel", {web_reply(403, "no")});
    trigger();
    pipeline_.database().execute("update pipeline.build set created_at = created_at - interval '30 days'");
    EXPECT_EQ(signal(), "completed");
    EXPECT_THAT(build("status || ': ' || reason"), HasSubstr("failed: took longer than 2h; GitHub, POST"));
    EXPECT_EQ(pipeline_.waiting(), "record");
}

TEST_F(PipelineServices, whose_answer_is_lost_build_twice_and_are_believed_once) {
    use_github();
    service_.answers(dispatch,
                     {json_reply(200, {{"workflow_run_id", 76}}), json_reply(200, {{"workflow_run_id", 77}})});
    service_.answers(run, {github_run("completed", "success")});
    pipeline_.push({{"a", "1"}});
    pipeline_.steps({"process"});
    pipeline_.lose("pipeline.build");
    pipeline_.finish();
    EXPECT_EQ(build("id"), "github/77");
    EXPECT_EQ(pipeline_.count("build") + pipeline_.count("validation_fact"), "11");
    const auto seen = service_.seen();
    EXPECT_EQ(std::count_if(seen.begin(), seen.end(),
                            [&](const auto& asked) { return asked.method + " " + asked.target == dispatch; }),
              2);
}

TEST_F(PipelineServices, name_the_last_green_commit_and_the_project) {
    use_buildkite();
    service_.answers(
        one_build,
        {json_reply(200, {{"number", 5}, {"state", "passed"}, {"jobs", {{{"name", "unit"}, {"state", "passed"}}}}})});
    const auto green = pipeline_.remote().head();
    pipeline_.ingest(pipeline_.uri(green));
    pipeline_.steps({"process", "build", "buildsignal", "record"});
    pipeline_.push({{"a", "1"}});
    service_.answers(builds, {json_reply(201, {{"number", 6}, {"state", "scheduled"}})});
    pipeline_.steps({"process", "build"});
    auto sent = json::parse(service_.seen().back().body);
    EXPECT_EQ(sent.at("env").at("BASE_SHA"), green);
    EXPECT_EQ(sent.at("env").at("BASE_URI"), pipeline_.uri(green));
    EXPECT_EQ(sent.at("env").at("HEAD_URI"), pipeline_.uri(pipeline_.remote().head()));
    EXPECT_EQ(sent.at("env").at("PROJECT"), "");

    // The jobs of the first build are targets, and what no rule fits is a project as well.
    service_.answers(builds, {json_reply(201, {{"number", 7}, {"state", "scheduled"}})});
    pipeline_.steps({"analyze", "build"});
    sent = json::parse(service_.seen().back().body);
    EXPECT_EQ(sent.at("env").at("PROJECT"), "unmapped");
    EXPECT_EQ(sent.at("env").at("HEAD_SHA"), green);
    EXPECT_EQ(sent.at("message"), "millrace: shop/main request 1, unmapped");
    EXPECT_EQ(
        pipeline_.database().value("select project || ' ' || targets || ' ' || broken from pipeline.request_project"),
        "unmapped 1 0");
}

TEST_F(PipelineServices, never_show_their_token_even_if_they_repeat_it) {
    use_github();
    service_.answers(dispatch, {web_reply(401, std::string{"bad token "} + token)});
    const auto outcome = trigger();
    EXPECT_THAT(outcome, HasSubstr("bad token ***"));
    EXPECT_THAT(outcome, Not(HasSubstr(token)));
}

TEST_F(PipelineServices, need_a_token_that_this_worker_has) {
    PipelineStages pipeline;
    pipeline.database().execute(
        "select pipeline.use_service('shop/main', 'buildkite', $1::jsonb)",
        {R"({"organization": "a", "pipeline": "b", "branch": "main", "token_env": "PIPELINE_ABSENT"})"});
    pipeline.push({{"a", "1"}});
    pipeline.step("pipeline.process");
    EXPECT_EQ(pipeline.step("pipeline.build"),
              "failed: this worker has no variable PIPELINE_ABSENT with the token of Buildkite");
}

TEST_F(Buildkite, builds_are_created_with_the_commit_and_followed_to_their_end) {
    use_buildkite();
    service_.answers(one_build, {buildkite_build("scheduled"), buildkite_build("running"), buildkite_build("failing"),
                                 buildkite_build("blocked"), buildkite_build("passed")});
    EXPECT_EQ(trigger(), "completed");
    EXPECT_EQ(build("id"), "buildkite/5");
    const auto body = json::parse(service_.seen().at(0).body);
    const auto head = pipeline_.remote().head();
    EXPECT_EQ(body.at("commit"), head);
    EXPECT_EQ(body.at("branch"), "main");
    EXPECT_EQ(body.at("message"), "millrace: shop/main request 1");
    EXPECT_EQ(body.at("env").at("HEAD_SHA"), head);
    EXPECT_EQ(body.at("env").at("BASE_SHA"), "");
    for (const auto* status : {"accepted", "running", "running", "running"}) {
        EXPECT_EQ(signal(), "snoozed");
        EXPECT_EQ(build("status"), status);
    }
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(build("status || ': ' || reason"), "succeeded: the build ended as passed");
}

TEST_F(Buildkite, builds_are_green_only_when_they_have_passed) {
    for (const auto& [state, status] : std::map<std::string, std::string>{{"creating", "accepted"},
                                                                          {"scheduled", "accepted"},
                                                                          {"running", "running"},
                                                                          {"failing", "running"},
                                                                          {"canceling", "running"},
                                                                          {"blocked", "running"},
                                                                          {"passed", "succeeded"},
                                                                          {"failed", "failed"},
                                                                          {"skipped", "failed"},
                                                                          {"not_run", "failed"},
                                                                          {"not yet invented", "failed"},
                                                                          {"canceled", "cancelled"}}) {
        PipelineStages pipeline{"", {{"PIPELINE_TOKEN", token}}};
        Service service;
        use_buildkite_at(pipeline, service.url());
        service.answers(builds, {json_reply(201, {{"number", 5}})});
        service.answers(one_build, {buildkite_build(state.c_str())});
        pipeline.push({{"a", "1"}});
        pipeline.steps({"process", "build"});
        EXPECT_EQ(pipeline.step("pipeline.buildsignal"),
                  status == "accepted" || status == "running" ? "snoozed" : "completed")
            << state;
        EXPECT_EQ(pipeline.database().value("select status from pipeline.build"), status) << state;
    }
}

TEST_F(Buildkite, builds_name_the_jobs_that_failed) {
    use_buildkite();
    service_.answers(one_build, {json_reply(200, {{"number", 5},
                                                  {"state", "failed"},
                                                  {"jobs",
                                                   {{{"name", "unit"}, {"state", "passed"}},
                                                    {{"type", "waiter"}, {"state", "passed"}},
                                                    {{"name", "lint"}, {"state", "failed"}}}}})});
    trigger();
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(build("status || ': ' || reason"), "failed: the build ended as failed, failed: lint");
}

TEST_F(Buildkite, builds_are_cancelled_when_they_take_too_long) {
    use_buildkite();
    const auto* cancel = "PUT /v2/organizations/acme/pipelines/shop/builds/5/cancel";
    service_.answers(one_build, {buildkite_build("running")});
    service_.answers(cancel, {web_reply(422, "{}")});
    trigger();
    pipeline_.database().execute("update pipeline.build set created_at = created_at - interval '30 days'");
    EXPECT_EQ(signal(), "completed");
    EXPECT_EQ(build("status"), "failed");
    EXPECT_EQ(build("log_location"), "https://buildkite.com/acme/shop/builds/5") << "where one sees why";
    EXPECT_EQ(service_.seen().back().method + " " + service_.seen().back().target, cancel);
}

}  // namespace
}  // namespace millrace::testing
