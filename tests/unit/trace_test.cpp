#include "core/trace.hpp"

#include "adapters/otlp.hpp"
#include "engine/spans.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace millrace {
namespace {

using namespace std::chrono_literals;
using core::sampled_context;
using engine::Spans;
using nlohmann::json;

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent = "00f067aa0ba902b7";
const std::string traceparent = "00-" + trace + "-" + parent + "-01";

core::Job traced_job() {
    core::Job job;
    job.id = core::JobId{17};
    job.queue = "mail";
    job.kind = "email.send";
    job.attempt = 2;
    job.traceparent = traceparent;
    return job;
}

TEST(Traceparent, is_read_and_written) {
    const auto context = sampled_context(traceparent);
    ASSERT_TRUE(context);
    EXPECT_EQ(context->trace, trace);
    EXPECT_EQ(context->span, parent);
    EXPECT_EQ(core::traceparent_of(*context), traceparent);
    EXPECT_TRUE(sampled_context("cc-" + trace + "-" + parent + "-01-what-the-future-will-be-like"));
    EXPECT_TRUE(sampled_context("00-" + trace + "-" + parent + "-ff"));
}

TEST(Traceparent, keeps_the_flags_that_it_knows) {
    for (const auto& [given, passed_on] :
         std::map<std::string, std::string>{{"01", "01"}, {"03", "03"}, {"05", "01"}, {"ff", "03"}, {"8b", "03"}}) {
        const auto context = sampled_context(fmt::format("00-{}-{}-{}", trace, parent, given));
        ASSERT_TRUE(context) << given;
        EXPECT_TRUE(core::traceparent_of(*context).ends_with("-" + passed_on)) << given;
        EXPECT_TRUE(core::traceparent_of(Spans::next(*context)).ends_with("-" + passed_on)) << given;
    }
}

TEST(Traceparent, that_is_not_sampled_or_none_at_all_is_left_alone) {
    const std::string no_trace(32, '0');
    const std::string no_span(16, '0');
    const std::vector<std::string> texts{"",
                                         "00",
                                         "00-" + trace + "-" + parent + "-00",
                                         "00-" + trace + "-" + parent + "-02",
                                         "00-" + no_trace + "-" + parent + "-01",
                                         "00-" + trace + "-" + no_span + "-01",
                                         "ff-" + trace + "-" + parent + "-01",
                                         "00-" + trace + "-" + parent + "-01-x",
                                         "00_" + trace + "-" + parent + "-01",
                                         "00-" + trace + "-" + parent + "-0G",
                                         traceparent + "0"};
    for (const auto& text : texts)
        EXPECT_FALSE(sampled_context(text)) << text;
}

TEST(SpansTest, make_the_handlers_context_a_child_of_the_producers) {
    auto job = traced_job();
    const auto traced = Spans::begin(job);
    ASSERT_TRUE(traced);
    EXPECT_EQ(traced->producer.span, parent);
    EXPECT_EQ(traced->run.trace, trace);
    EXPECT_NE(traced->run.span, parent);
    EXPECT_EQ(job.traceparent, core::traceparent_of(traced->run));

    auto silent = traced_job();
    silent.traceparent.back() = '0';
    const auto before = silent.traceparent;
    EXPECT_FALSE(Spans::begin(silent));
    EXPECT_EQ(silent.traceparent, before);
}

TEST(SpansTest, are_dropped_and_counted_when_too_many_wait) {
    Spans spans;
    for (std::size_t i = 0; i < Spans::most_waiting + 3; ++i)
        spans.record({});
    EXPECT_EQ(spans.dropped, 3U);
    EXPECT_EQ(spans.take(100, 0ms, {}).size(), 100U);
    EXPECT_EQ(spans.take(2 * Spans::most_waiting, 0ms, {}).size(), Spans::most_waiting - 100);
    EXPECT_TRUE(spans.take(1, 0ms, {}).empty());
}

TEST(OtlpText, is_what_the_conventions_for_messaging_want) {
    Spans spans;
    auto job = traced_job();
    const auto traced = Spans::begin(job);
    ASSERT_TRUE(traced);
    const auto now = Spans::Clock::now();
    spans.note_settle(*traced, {now - 2ms, now}, "failed", 7);
    const auto whole = json::parse(
        adapters::otlp_text({.endpoint = "", .service_version = "1.2.3", .instance = "w1"}, spans.take(10, 0ms, {})));
    const auto& resource = whole.at("resourceSpans").at(0);
    EXPECT_EQ(resource.at("resource").at("attributes").at(0),
              json::parse(R"({"key": "service.name", "value": {"stringValue": "millrace"}})"));
    const auto& span = resource.at("scopeSpans").at(0).at("spans").at(0);
    EXPECT_EQ(span.at("traceId"), trace);
    EXPECT_EQ(span.at("parentSpanId"), traced->run.span);
    EXPECT_EQ(span.at("name"), "settle mail");
    EXPECT_EQ(span.at("kind"), 3);
    EXPECT_EQ(span.at("status").at("code"), 2);
    const auto time = [&](const char* name) { return std::stoull(span.at(name).get<std::string>()); };
    EXPECT_EQ(time("endTimeUnixNano") - time("startTimeUnixNano"), 2'000'000U);
    json attributes;
    for (const auto& attribute : span.at("attributes"))
        attributes[attribute.at("key").get<std::string>()] = *attribute.at("value").begin();
    EXPECT_EQ(attributes, json::parse(R"({"messaging.system": "millrace", "messaging.operation.name": "settle",
        "messaging.operation.type": "settle", "messaging.destination.name": "mail", "messaging.message.id": "17",
        "messaging.batch.message_count": "7", "millrace.job.kind": "email.send", "millrace.job.attempt": "2",
        "millrace.job.outcome": "failed", "error.type": "failed"})"));
}

adapters::HttpAnswer answer(int status, const std::string& body = "", const std::string& retry_after = "") {
    adapters::HttpAnswer answer{.status = status, .headers = {}, .body = body};
    if (!retry_after.empty()) answer.headers["retry-after"] = retry_after;
    return answer;
}

TEST(OtlpAnswer, that_is_good_has_taken_all_but_what_it_says_it_has_rejected) {
    for (const auto* body : {"", "{}", "nonsense", "[]", R"({"partialSuccess": {}})", R"({"partialSuccess": 1})",
                             R"({"partialSuccess": {"rejectedSpans": "0", "errorMessage": "better next time"}})"}) {
        const auto said = adapters::otlp_answer(answer(200, body), 7);
        EXPECT_EQ(said.taken, 7U) << body;
        EXPECT_EQ(said.problem, "") << body;
    }
    for (const auto* body :
         {R"({"partialSuccess": {"rejectedSpans": "3"}})", R"({"partialSuccess": {"rejectedSpans": 3}})"}) {
        const auto said = adapters::otlp_answer(answer(200, body), 7);
        EXPECT_EQ(said.taken, 4U) << body;
        EXPECT_EQ(said.problem, "it rejected 3 of 7 spans") << body;
        EXPECT_FALSE(said.is_passing) << body;
    }
    EXPECT_EQ(adapters::otlp_answer(answer(200, R"({"partialSuccess": {"rejectedSpans": "99"}})"), 7).taken, 0U);
}

TEST(OtlpAnswer, that_is_busy_is_worth_another_try_after_what_it_asks_for) {
    for (const int status : {429, 502, 503, 504}) {
        const auto said = adapters::otlp_answer(answer(status, "", "17"), 7);
        EXPECT_EQ(said.taken, 0U) << status;
        EXPECT_TRUE(said.is_passing) << status;
        EXPECT_EQ(said.patience, 17s) << status;
    }
    EXPECT_EQ(adapters::otlp_answer(answer(503), 7).patience, 0s);
    EXPECT_EQ(adapters::otlp_answer(answer(503, "", "Wed, 21 Oct 2015 07:28:00 GMT"), 7).patience, 0s);
    EXPECT_EQ(adapters::otlp_answer(answer(503, "", "-5"), 7).patience, 0s);
    EXPECT_EQ(adapters::otlp_answer(answer(503, "", "999999"), 7).patience, 1h);
}

TEST(OtlpAnswer, that_refuses_would_refuse_again) {
    for (const int status : {301, 400, 401, 403, 404, 413, 500}) {
        const auto said = adapters::otlp_answer(answer(status, "", "17"), 7);
        EXPECT_EQ(said.taken, 0U) << status;
        EXPECT_FALSE(said.is_passing) << status;
        EXPECT_EQ(said.problem, "it answered " + std::to_string(status));
    }
}

}  // namespace
}  // namespace millrace
