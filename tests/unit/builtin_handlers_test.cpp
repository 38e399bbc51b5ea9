#include "handlers/builtin/fail.hpp"
#include "handlers/builtin/noop.hpp"
#include "handlers/builtin/wait.hpp"

#include <gtest/gtest.h>

namespace millrace::handlers::builtin {
namespace {

core::Job job_with(const std::string& payload) {
    core::Job job;
    job.payload = payload;
    return job;
}

template <class Kind, class Handler>
bool settles_as(Handler&& handler, const std::string& payload, std::stop_token stop = {}) {
    return std::holds_alternative<Kind>(handler.run(job_with(payload), std::move(stop)));
}

TEST(Noop, is_done_at_once) {
    EXPECT_TRUE(settles_as<core::Completed>(Noop{}, "{}"));
}

TEST(Wait, completes_when_its_time_has_passed) {
    EXPECT_TRUE(settles_as<core::Completed>(Wait{}, R"({"ms": 1})"));
}

TEST(Wait, fails_when_it_is_asked_to_stop) {
    std::stop_source source;
    source.request_stop();
    EXPECT_TRUE(settles_as<core::Failed>(Wait{}, R"({"until_stopped": true})", source.get_token()));
    EXPECT_TRUE(settles_as<core::Failed>(Wait{}, R"({"ms": 86400000})", source.get_token()));
}

TEST(Wait, discards_what_it_cannot_understand) {
    for (const auto* payload :
         {"{}", "[]", "7", R"({"ms": -1})", R"({"ms": "1"})", R"({"ms": 86400001})", R"({"until_stopped": false})"}) {
        EXPECT_TRUE(settles_as<core::Discarded>(Wait{}, payload)) << payload;
    }
}

TEST(Fail, fails_with_the_error_it_was_given) {
    const auto outcome = Fail{}.run(job_with(R"({"error": "as asked"})"), {});
    ASSERT_TRUE(std::holds_alternative<core::Failed>(outcome));
    EXPECT_EQ(std::get<core::Failed>(outcome).error, "as asked");
    EXPECT_TRUE(settles_as<core::Failed>(Fail{}, "null"));
}

}  // namespace
}  // namespace millrace::handlers::builtin
