#include "core/trace.hpp"

#include "adapters/otlp.hpp"
#include "engine/spans.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
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

}  // namespace
}  // namespace millrace
