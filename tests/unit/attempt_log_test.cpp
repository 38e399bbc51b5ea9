#include "engine/attempt_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace millrace::engine {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr auto trace = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr auto traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

core::Job some_job() {
    core::Job job;
    job.id = core::JobId{17};
    job.queue = "mail";
    job.kind = "email.send";
    job.attempt = 2;
    job.payload = R"({"to": "canary@example.org"})";
    job.traceparent = traceparent;
    return job;
}

// What one line about this job consists of.
std::map<std::string, std::string> fields_of(const core::Job& job, std::initializer_list<ops::Field> more = {}) {
    std::map<std::string, std::string> fields;
    ops::Log log{ops::Log::Format::json, stderr, static_cast<ops::Level>(99)};
    log.observe([&](ops::Level level, std::string_view message, std::span<const ops::Field> seen) {
        EXPECT_EQ(level, ops::Level::warning);
        EXPECT_EQ(message, "attempt void");
        for (const auto& field : seen) {
            const auto* number = std::get_if<std::int64_t>(&field.value);
            const std::string text{number != nullptr ? std::to_string(*number)
                                                     : std::string{std::get<std::string_view>(field.value)}};
            EXPECT_TRUE(fields.emplace(field.name, text).second) << field.name << " twice";
        }
    });
    AttemptLog{log, "alder"}.write(ops::Level::warning, "attempt void", job, more);
    return fields;
}

TEST(AttemptLog, tells_which_attempt_of_which_job_it_is_and_nothing_of_the_payload) {
    EXPECT_THAT(fields_of(some_job()),
                UnorderedElementsAre(Pair("job", "17"), Pair("queue", "mail"), Pair("kind", "email.send"),
                                     Pair("attempt", "2"), Pair("worker", "alder"), Pair("trace", trace)));
}

TEST(AttemptLog, adds_what_the_caller_has_to_say) {
    const auto fields = fields_of(some_job(), {{"reason", "lease lost"}, {"max_attempts", 5}});
    EXPECT_EQ(fields.size(), 8U);
    EXPECT_EQ(fields.at("reason"), "lease lost");
    EXPECT_EQ(fields.at("max_attempts"), "5");
}

TEST(AttemptLog, names_no_trace_when_the_producer_gave_none) {
    auto job = some_job();
    job.traceparent.clear();
    EXPECT_EQ(fields_of(job).count("trace"), 0U);
    job.traceparent = "nonsense";
    EXPECT_EQ(fields_of(job).count("trace"), 0U);
}

TEST(AttemptLog, names_each_queue_and_kind_as_the_job_does_even_if_empty) {
    const auto fields = fields_of(core::Job{});
    EXPECT_EQ(fields.at("queue"), "");
    EXPECT_EQ(fields.at("attempt"), "1");
}

TEST(TraceId, is_the_second_part_of_a_traceparent) {
    EXPECT_EQ(trace_id(traceparent), trace);
    EXPECT_EQ(trace_id(std::string{"cc-"} + trace + "-00f067aa0ba902b7-01-and what a later version adds"), trace);
}

TEST(TraceId, is_empty_when_there_is_none) {
    const std::string id{trace};
    const std::vector<std::string> all{"",
                                       "00",
                                       "00-",
                                       id,
                                       "00-" + id,
                                       "00-" + id.substr(1) + "-0",
                                       "00-" + id + "0-00f067aa0ba902b7-01",
                                       "00_" + id + "-00f067aa0ba902b7-01",
                                       "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                       "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
                                       "00-" + std::string(32, '0') + "-00f067aa0ba902b7-01"};
    for (const auto& bad : all) {
        EXPECT_EQ(trace_id(bad), "") << bad;
    }
}

}  // namespace
}  // namespace millrace::engine
