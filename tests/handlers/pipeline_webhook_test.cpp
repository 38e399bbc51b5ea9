// Webhooks: what they are told, how that is signed, and what their answers mean. The server is real; what is to be
// told comes from the database.

#include "handlers/pipeline/webhook.hpp"
#include "support/database.hpp"
#include "support/web_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

namespace millrace::testing {
namespace {

using ::testing::HasSubstr;

constexpr auto traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class WebhookTest : public ::testing::Test {
protected:
    // What the event and the sink of a test's payload stand for.
    void deliver_to(const std::string& url, const std::string& secret_variable) {
        database_.execute(
            "create or replace function pipeline.hook_delivery(event text, sink text)"
            " returns table (url text, body jsonb, secret_env text) language sql stable security definer"
            " set search_path = pg_catalog, pg_temp as $$ select " +
            quoted(url) + R"(, '{"specversion": "1.0", "id": "7"}'::jsonb, )" + quoted(secret_variable) +
            " where event = '7' and sink = 'deploy' $$");
        database_.execute("grant execute on function pipeline.hook_delivery(text, text) to millrace_worker");
    }
    static std::string quoted(const std::string& text) { return "nullif('" + text + "', '')"; }

    core::Outcome run(const std::string& payload = R"({"event": "7", "sink": "deploy"})") {
        handlers::pipeline::Webhook webhook{
            handlers::pipeline::Secrets{{{"PIPELINE_KEY", "key"}, {"PGPASSWORD", "canary"}}}, pool_, counts_};
        core::Job job;
        job.payload = payload;
        job.traceparent = traceparent;
        return webhook.run(job, {});
    }
    // What became of it when the webhook answers so.
    core::Outcome answered(const WebReply& reply) {
        WebServer server{[&](const auto&) { return reply; }};
        deliver_to(server.url() + "/hook", "");
        auto outcome = run();
        EXPECT_EQ(server.seen().size(), 1U);
        return outcome;
    }

    Database database_;
    storage::SessionPool pool_{database_.sessions()};
    storage::pipeline::StoreCounts counts_;
};

TEST_F(WebhookTest, is_told_a_cloud_event_with_a_signature_over_its_body) {
    WebServer server{[](const auto&) { return web_reply(204, ""); }};
    deliver_to(server.url() + "/hook?a=b", "PIPELINE_KEY");
    EXPECT_TRUE(std::holds_alternative<core::Completed>(run()));
    const auto seen = server.seen().at(0);
    EXPECT_EQ(seen.method + " " + seen.target, "POST /hook?a=b");
    EXPECT_EQ(seen.header("Content-Type"), "application/cloudevents+json; charset=utf-8");
    EXPECT_EQ(seen.header("traceparent"), traceparent);
    EXPECT_EQ(seen.body, R"({"id": "7", "specversion": "1.0"})");
    // printf '{"id": "7", "specversion": "1.0"}' | openssl dgst -sha256 -hmac key
    EXPECT_EQ(seen.header("X-Millrace-Signature"),
              "sha256=964505af224f521d9c1f63f1c8babcda586d0c1bf37383fe1b2074c081579ce2");
}

TEST_F(WebhookTest, is_not_signed_for_without_a_secret) {
    WebServer server{[](const auto&) { return web_reply(200, "fine"); }};
    deliver_to(server.url(), "");
    EXPECT_TRUE(std::holds_alternative<core::Completed>(run()));
    EXPECT_EQ(server.seen().at(0).header("X-Millrace-Signature"), "");
}

TEST_F(WebhookTest, is_told_again_after_what_may_pass) {
    for (const int status : {408, 429, 500, 502, 503, 504, 599})
        EXPECT_TRUE(std::holds_alternative<core::Failed>(answered(web_reply(status, "later")))) << status;
    EXPECT_TRUE(std::holds_alternative<core::Failed>(answered({"", WebReply::Then::reset})));
    EXPECT_TRUE(std::holds_alternative<core::Failed>(answered({"nonsense", WebReply::Then::close})));
}

TEST_F(WebhookTest, is_told_once_however_long_its_answer_is) {
    const std::string page(100'000, 'x');
    EXPECT_EQ(std::get<core::Completed>(answered(web_reply(200, page))).result, R"({"status":200})");
    EXPECT_TRUE(std::holds_alternative<core::Failed>(answered(web_reply(503, page))));
    EXPECT_THAT(std::get<core::Discarded>(answered(web_reply(404, page))).error, HasSubstr("answered 404: xxx"));
}

TEST_F(WebhookTest, is_left_alone_as_long_as_it_asks) {
    const auto outcome = answered(web_reply(503, "", {{"Retry-After", "30"}}));
    EXPECT_EQ(std::get<core::Failed>(outcome).retry_in, std::chrono::seconds{30});
    const auto too_long = answered(web_reply(503, "", {{"Retry-After", "99999999"}}));
    EXPECT_EQ(std::get<core::Failed>(too_long).retry_in, std::chrono::hours{1});
    const auto unclear = answered(web_reply(503, "", {{"Retry-After", "soon"}}));
    EXPECT_FALSE(std::get<core::Failed>(unclear).retry_in);
}

TEST_F(WebhookTest, that_refuses_is_a_dead_letter) {
    for (const int status : {400, 401, 403, 404, 405, 410, 413, 422})
        EXPECT_THAT(std::get<core::Discarded>(answered(web_reply(status, "no"))).error,
                    HasSubstr("the webhook answered " + std::to_string(status) + ": no"));
}

TEST_F(WebhookTest, that_redirects_is_not_followed) {
    for (const int status : {301, 302, 303, 307, 308}) {
        const auto outcome = answered(web_reply(status, "", {{"Location", "/elsewhere"}}));
        EXPECT_THAT(std::get<core::Discarded>(outcome).error, HasSubstr(std::to_string(status))) << status;
    }
}

TEST_F(WebhookTest, of_a_sink_that_is_gone_is_a_dead_letter) {
    deliver_to("http://127.0.0.1:1/", "");
    for (const auto* payload : {R"({"event": "8", "sink": "deploy"})", R"({"event": "7"})", "[]", "1",
                                R"({"event": 7, "sink": "deploy"})", R"({"event": "7", "sink": "deploy", "x": 1})"}) {
        EXPECT_TRUE(std::holds_alternative<core::Discarded>(run(payload))) << payload;
    }
}

TEST_F(WebhookTest, is_looked_up_in_the_tables_which_is_counted) {
    WebServer server{[](const auto&) { return web_reply(204, ""); }};
    deliver_to(server.url(), "");
    std::ignore = run();
    std::ignore = run(R"({"event": "8", "sink": "deploy"})");
    std::string counted;
    for (const auto& [told, tally] : counts_.snapshot()) {
        counted += fmt::format("{}.{} {} {}, ", told.store, told.operation, told.outcome, tally.operations);
        EXPECT_GT(tally.time.count(), 0);
    }
    EXPECT_EQ(counted, "hooks.find_delivery done 1, hooks.find_delivery not_found 1, ");
}

TEST_F(WebhookTest, is_told_nothing_as_long_as_this_worker_lacks_the_secret) {
    WebServer server{[](const auto&) { return web_reply(200, ""); }};
    for (const auto* variable : {"PIPELINE_ABSENT", "PGPASSWORD"}) {
        deliver_to(server.url(), variable);
        EXPECT_THAT(std::get<core::Failed>(run()).error, HasSubstr(variable)) << variable;
    }
    EXPECT_TRUE(server.seen().empty());
}

}  // namespace
}  // namespace millrace::testing
