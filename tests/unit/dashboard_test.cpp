#include "ops/dashboard.hpp"

#include "support/log_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace millrace::ops {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string token(32, 't');
const std::string hostile = R"("><script>alert('x')</script>&)";

std::string middle(const std::string& text, const std::string& before, const std::string& after) {
    const auto begin = text.find(before);
    if (begin == std::string::npos) return {};
    const auto from = begin + before.size();
    return text.substr(from, text.find(after, from) - from);
}

TEST(Form, is_read_as_browsers_write_it) {
    const auto form = read_form("action=pause_queue&of=a%2Bb+c%25&empty=&bare&=odd&&%4a=%zz%4");
    ASSERT_TRUE(form);
    EXPECT_EQ(field(*form, "of"), "a+b c%");
    EXPECT_EQ(field(*form, "J"), "%zz%4");
    EXPECT_EQ(field(*form, "empty") + field(*form, "bare") + field(*form, "missing"), "");
    EXPECT_EQ(form->size(), 6U);
    EXPECT_TRUE(read_form("")->empty());
}

TEST(Form, is_refused_when_no_form_of_ours_sends_it) {
    EXPECT_FALSE(read_form("of=a&of=b"));
    EXPECT_FALSE(read_form("of=a%00b"));
    EXPECT_FALSE(read_form("of=a%0d%0aX:b"));
    EXPECT_FALSE(read_form("of=a%ff"));
    EXPECT_EQ(field(read_form("of=%C3%A9").value(), "of"), "é");
    std::string many;
    for (int i = 0; i < 17; ++i)
        many += "&f" + std::to_string(i) + "=1";
    EXPECT_FALSE(read_form(many));
}

class LoginsTest : public ::testing::Test {
protected:
    LoginsTest() { logins.set_token(token); }
    std::optional<Logins::Session> enter(const std::string& shown) {
        const auto answer = logins.log_in(shown);
        return std::holds_alternative<Logins::Session>(answer) ? std::optional{std::get<Logins::Session>(answer)}
                                                               : std::nullopt;
    }
    Logins::Clock::time_point now = Logins::Clock::now();
    Logins logins{[this] { return now; }};
};

TEST_F(LoginsTest, want_the_token_and_no_other) {
    EXPECT_TRUE(enter(token));
    for (const auto& wrong : {std::string{}, token + "t", token.substr(1), std::string(32, 'T')}) {
        EXPECT_FALSE(enter(wrong)) << wrong;
    }
    logins.set_token("");
    EXPECT_FALSE(enter("")) << "without a token nobody can log in";
}

TEST_F(LoginsTest, give_each_session_an_id_and_a_form_secret_of_its_own) {
    const auto one = enter(token);
    const auto other = enter(token);
    ASSERT_TRUE(one && other);
    EXPECT_EQ(one->id.size(), 32U) << "128 bits";
    EXPECT_NE(one->id, other->id);
    EXPECT_NE(one->form_secret, other->form_secret);
    EXPECT_NE(one->id, one->form_secret);
    EXPECT_EQ(logins.find(other->id)->form_secret, other->form_secret);
    EXPECT_FALSE(logins.find(one->form_secret));
    EXPECT_FALSE(logins.find(""));
}

TEST_F(LoginsTest, end_after_an_hour_and_by_logging_out_and_with_another_token) {
    const auto first = enter(token);
    now += 59min;
    EXPECT_TRUE(logins.find(first->id));
    const auto second = enter(token);
    now += 1min;
    EXPECT_FALSE(logins.find(first->id));
    EXPECT_TRUE(logins.find(second->id));
    logins.log_out(second->id);
    EXPECT_FALSE(logins.find(second->id));
    const auto third = enter(token);
    logins.set_token(token);
    EXPECT_TRUE(logins.find(third->id)) << "a reload that changes nothing";
    logins.set_token(std::string(32, 'u'));
    EXPECT_FALSE(logins.find(third->id));
}

TEST_F(LoginsTest, are_few_and_the_oldest_goes_first) {
    const auto first = enter(token);
    const auto second = enter(token);
    for (std::size_t i = 2; i < Logins::most_sessions + 1; ++i)
        EXPECT_TRUE(enter(token));
    EXPECT_FALSE(logins.find(first->id));
    EXPECT_TRUE(logins.find(second->id));
}

TEST_F(LoginsTest, look_at_no_token_for_a_while_after_many_wrong_ones) {
    for (int i = 0; i < Logins::most_failures; ++i)
        EXPECT_EQ(std::get<Logins::Refusal>(logins.log_in("wrong")), Logins::Refusal::wrong);
    EXPECT_EQ(std::get<Logins::Refusal>(logins.log_in(token)), Logins::Refusal::too_often);
    now += Logins::failures_within;
    EXPECT_TRUE(enter(token));
}

storage::JobDetail hostile_job() {
    storage::JobDetail job;
    job.row = {.id = {17},
               .queue = hostile,
               .kind = hostile,
               .state = "discarded",
               .enqueued_at = hostile,
               .run_at = hostile,
               .worker = hostile,
               .error = hostile};
    job.traceparent = hostile;
    job.payload = hostile;
    job.result = hostile;
    job.progress = R"({"percent": 5, "message": "<script>"})";
    job.log = R"([{"line": 1, "attempt": 1, "at": "now", "text": "<script>"}])";
    return job;
}

std::vector<std::string> hostile_pages() {
    const Visitor visitor{hostile};
    storage::QueueRow queue;
    queue.name = hostile;
    queue.oldest_age_seconds = 1;
    queue.paused_at = hostile;
    storage::LiveView live{.database = hostile, .running = {}, .workers = {}};
    live.workers.push_back({.name = hostile, .state = hostile, .queues = hostile, .version = hostile});
    live.running.push_back(
        {.id = {1}, .queue = hostile, .kind = hostile, .worker = hostile, .percent = 1, .message = hostile});
    const storage::ScheduleGlance schedule{.name = hostile,
                                           .cron = hostile,
                                           .time_zone = hostile,
                                           .queue = hostile,
                                           .kind = hostile,
                                           .seconds_to_go = 1,
                                           .last_age_seconds = 1,
                                           .last_how = hostile,
                                           .last_job = core::JobId{1},
                                           .error = hostile};
    const storage::Finding finding{hostile, hostile, hostile, hostile, hostile};
    return {overview_page({{finding}, "", {queue}, live}, visitor),
            overview_page({{}, hostile, {queue}, live}, visitor),
            queue_page({queue, {{{1}, hostile, 1, hostile, 1}}, live.running}, visitor),
            job_page({hostile_job(), {{hostile, hostile, hostile}}, true}, visitor),
            workers_page(live, visitor),
            schedules_page({schedule}, visitor),
            login_page(hostile, hostile),
            notice_page(hostile, hostile, hostile, visitor)};
}

TEST(DashboardPages, escape_whatever_they_show) {
    for (const auto& page : hostile_pages()) {
        EXPECT_THAT(page, AllOf(HasSubstr("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"),
                                Not(HasSubstr("<script")), Not(HasSubstr("\"\">"))));
    }
}

TEST(DashboardPages, show_no_payload_and_no_result_unless_they_are_told_to) {
    auto job = hostile_job();
    job.payload = "canary-payload";
    job.result = "canary-result";
    EXPECT_THAT(job_page({job, {}, false}, {}), Not(HasSubstr("canary")));
    EXPECT_THAT(job_page({job, {}, true}, {}), AllOf(HasSubstr("canary-payload"), HasSubstr("canary-result")));
}

TEST(DashboardPages, have_forms_for_those_who_may_change_things_only) {
    EXPECT_THAT(job_page({hostile_job(), {}, false}, {}), Not(HasSubstr("<form")));
    EXPECT_THAT(job_page({hostile_job(), {}, false}, {"the-secret"}),
                AllOf(HasSubstr("value=\"replay\""), HasSubstr("value=\"discard\""), HasSubstr("value=\"17\""),
                      HasSubstr("name=\"form_secret\" value=\"the-secret\"")));
}

TEST(DashboardPages, are_bounded) {
    const Overview overview{std::vector<storage::Finding>(1000), "", std::vector<storage::QueueRow>(5000), {}};
    const auto page = overview_page(overview, {});
    EXPECT_THAT(page, AllOf(HasSubstr("And 950 more"), HasSubstr("And more: <code>millrace queues")));
    auto job = hostile_job();
    job.row.error = std::string(1'000'000, '&');
    EXPECT_LT(job_page({job, {}, false}, {}).size(), 1'000'000U);
}

// Its database cannot be reached: what gets as far as that is answered with 503.
class DashboardTest : public ::testing::Test {
protected:
    Reply ask(Request request) {
        request.host = request.host.empty() ? "localhost:9478" : request.host;
        const auto site = dashboard.site();
        const auto screened = site.screen(request);
        return screened ? *screened : site.answer(request);
    }
    Reply get(const std::string& path, const std::string& cookie = {}, const std::string& host = {}) {
        Request request;
        request.method = "GET";
        request.path = path;
        request.cookie = cookie;
        request.host = host;
        return ask(request);
    }
    Reply post(const std::string& path, const std::string& body, const std::string& cookie = {},
               const std::string& type = "application/x-www-form-urlencoded") {
        Request request;
        request.method = "POST";
        request.path = path;
        request.cookie = cookie;
        request.content_type = type;
        request.body = body;
        return ask(request);
    }
    // The cookie, as a browser shows it from then on.
    std::string log_in() {
        const auto reply = post("/dashboard/login", "token=" + token);
        EXPECT_EQ(reply.status, 303);
        const auto cookie = reply.headers.find("Set-Cookie");
        return cookie == reply.headers.end() ? "" : cookie->second.substr(0, cookie->second.find(';'));
    }
    void adjust(const std::string& its_token, Dashboard::Cookies cookies = Dashboard::Cookies::over_http) {
        dashboard.adjust({.token = its_token, .hosts = {"jobs.example.org"}, .cookies = cookies});
    }

    testing::LogWatch log;
    storage::SessionFactory sessions{"host=/nonexistent dbname=none"};
    Dashboard dashboard{sessions, {.token = token, .hosts = {"jobs.example.org"}}, log.log()};
};

TEST_F(DashboardTest, shows_the_login_and_nothing_else_to_strangers) {
    for (const auto* path : {"/dashboard", "/dashboard/queues/mail", "/dashboard/jobs/1", "/dashboard/workers"}) {
        const auto reply = get(path, "millrace_session_9478=" + std::string(32, '0'));
        EXPECT_EQ(reply.status, 403) << path;
        EXPECT_THAT(reply.body, HasSubstr("name=\"token\""));
    }
    EXPECT_EQ(post("/dashboard/act", "action=pause_queue&of=mail").status, 403);
    EXPECT_EQ(get("/dashboard/style.css").status, 200);
    const auto refused = post("/dashboard/login", "token=x");
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.headers.count("Set-Cookie"), 0U);
    EXPECT_TRUE(log.await("a login to the dashboard was refused"));
}

TEST_F(DashboardTest, keeps_the_cookie_from_scripts_from_other_sites_and_from_plain_http) {
    const auto plain = post("/dashboard/login", "token=" + token).headers.at("Set-Cookie");
    EXPECT_THAT(plain, AllOf(HasSubstr("; Path=/dashboard"), HasSubstr("; HttpOnly"), HasSubstr("; SameSite=Strict"),
                             HasSubstr("; Max-Age=3600"), Not(HasSubstr("Secure"))));
    adjust(token, Dashboard::Cookies::over_https);
    EXPECT_THAT(post("/dashboard/login", "token=" + token).headers.at("Set-Cookie"), HasSubstr("; Secure"));
}

TEST_F(DashboardTest, finds_its_cookie_among_others) {
    const auto cookie = log_in();
    EXPECT_EQ(get("/dashboard", "a=b; " + cookie + "; c=d").status, 503);
    EXPECT_EQ(get("/dashboard", "millrace_session_9478=; millrace_session_9478=x; " + cookie).status, 503)
        << "a stranger's first";
    EXPECT_EQ(get("/dashboard", "x" + cookie).status, 403);
    EXPECT_EQ(get("/dashboard", "millrace_session_9478=").status, 403);
}

TEST_F(DashboardTest, shares_no_cookie_with_another_port_of_its_host) {
    const auto cookie = log_in();
    EXPECT_THAT(cookie, ::testing::StartsWith("millrace_session_9478="));
    EXPECT_EQ(get("/dashboard", cookie, "localhost:9478").status, 503);
    EXPECT_EQ(get("/dashboard", cookie, "localhost:9479").status, 403);
    const auto session = cookie.substr(cookie.find('='));
    EXPECT_EQ(get("/dashboard", "millrace_session" + session, "[::1]").status, 503);
    EXPECT_EQ(get("/dashboard", "millrace_session_80" + session, "[::1]:80").status, 503);
    EXPECT_EQ(get("/dashboard", "millrace_session" + session, "localhost:x;y").status, 503) << "no number";
}

TEST_F(DashboardTest, leads_from_the_login_to_pages_of_its_own_only) {
    EXPECT_THAT(get("/dashboard/jobs/17").body, HasSubstr("<a href=\"/dashboard/jobs/17\">"));
    for (const auto* path : {"/dashboard/queues/../../elsewhere", "/dashboard/queues/%2e%2e/%2e%2e/elsewhere",
                             "/dashboard/queues/a\\..\\..\\elsewhere", "/dashboard/queues/\t./elsewhere"}) {
        EXPECT_THAT(get(path).body, AllOf(HasSubstr("<a href=\"/dashboard\">Go on"), Not(HasSubstr("elsewhere"))))
            << path;
    }
}

TEST_F(DashboardTest, changes_nothing_without_the_secret_of_the_sessions_forms) {
    const auto cookie = log_in();
    const auto other_secret = middle(get("/dashboard/workers", log_in()).body, "form_secret\" value=\"", "\"");
    const std::string order = "action=pause_queue&of=mail";
    EXPECT_EQ(other_secret.size(), 32U);
    for (const auto& secret : {std::string{}, std::string{"&form_secret="}, "&form_secret=" + other_secret,
                               "&form_secret=" + cookie.substr(cookie.find('=') + 1)}) {
        const auto reply = post("/dashboard/act", order + secret, cookie);
        EXPECT_EQ(reply.status, 403) << secret;
        EXPECT_THAT(reply.body, HasSubstr("Nothing has been done"));
        EXPECT_EQ(post("/dashboard/logout", secret, cookie).status, 403) << secret;
    }
    const auto secret = middle(get("/dashboard/workers", cookie).body, "form_secret\" value=\"", "\"");
    EXPECT_EQ(post("/dashboard/act", order + "&form_secret=" + secret, cookie).status, 503) << "it came to be tried";
    EXPECT_EQ(post("/dashboard/act", "action=drop&of=mail&form_secret=" + secret, cookie).status, 400);
    EXPECT_EQ(post("/dashboard/logout", "form_secret=" + secret, cookie).status, 303);
    EXPECT_EQ(get("/dashboard", cookie).status, 403);
}

TEST_F(DashboardTest, is_to_look_at_only_without_a_token) {
    adjust("");
    EXPECT_EQ(get("/dashboard").status, 503);
    for (const auto* path : {"/dashboard/login", "/dashboard/logout", "/dashboard/act"}) {
        const auto reply = post(path, "token=&form_secret=&action=pause_queue&of=mail");
        EXPECT_EQ(reply.status, 403) << path;
        EXPECT_THAT(reply.body, HasSubstr("Nothing can be changed here"));
    }
}

TEST_F(DashboardTest, answers_to_names_that_are_its_own_only) {
    for (const auto* host : {"localhost", "localhost:9478", "127.0.0.1:80", "[::1]:80", "[::1]", "jobs.example.org",
                             "jobs.example.org:443"}) {
        EXPECT_THAT(get("/dashboard", "", host).body, HasSubstr("name=\"token\"")) << host;
    }
    for (const auto* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example:9478", ":", "[::1",
                             "x@localhost", "jobs.example.org."}) {
        const auto reply = get("/dashboard", "", host);
        EXPECT_EQ(reply.status, 403) << host;
        EXPECT_THAT(reply.body, AllOf(HasSubstr("Not by this name"), Not(HasSubstr("evil"))));
    }
}

TEST_F(DashboardTest, tells_browsers_to_run_nothing_and_to_keep_nothing) {
    for (const auto* path : {"/dashboard", "/dashboard/none"}) {
        const auto headers = get(path).headers;
        EXPECT_EQ(headers.at("Content-Security-Policy"),
                  "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
        EXPECT_EQ(headers.at("Referrer-Policy"), "no-referrer");
    }
}

TEST_F(DashboardTest, has_a_method_for_each_path_and_takes_forms_only) {
    EXPECT_EQ(get("/dashboard/act").status, 405);
    EXPECT_EQ(get("/dashboard/act").headers.at("Allow"), "POST");
    EXPECT_EQ(post("/dashboard/workers", "").status, 405);
    EXPECT_EQ(get("/dashboard/nothing").status, 404);
    EXPECT_EQ(post("/dashboard/login", "token=" + token, "", "text/plain").status, 415);
}

TEST_F(DashboardTest, says_that_the_database_is_away) {
    const auto reply = get("/dashboard/workers", log_in());
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.headers.at("Retry-After"), "5");
    EXPECT_THAT(reply.body, AllOf(HasSubstr("cannot be reached"), Not(HasSubstr("nonexistent"))));
}

}  // namespace
}  // namespace millrace::ops
