#include "support/worker_test.hpp"

#include <atomic>

namespace millrace::testing {
namespace {

class PayloadSchemasTest : public WorkerTest {
protected:
    void register_schema(const std::string& schema, const std::string& kind = "k") {
        database.execute("select millrace.register_schema($1, $2::jsonb)", {kind, schema});
    }
    std::int64_t enqueue(const std::string& payload, const std::string& kind = "k") {
        return std::stoll(
            database.value("select millrace.enqueue('q', $1, $2::jsonb, max_attempts => 3)", {kind, payload}));
    }
    // Sooner or later: a worker hears of a change after a while. One job after the other.
    bool a_number_ends_as(const std::string& state) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
        while (std::chrono::steady_clock::now() < deadline) {
            const auto job = enqueue("7");
            const auto is_over = "select state in ('completed', 'discarded') from millrace.jobs where id = ";
            if (!database.becomes(is_over + std::to_string(job), "t")) return false;
            if (of(job, "state") == state) return true;
        }
        return false;
    }
    engine::Registry counting() {
        engine::Registry registry;
        registry.add("k", handler([this](const core::Job&, std::stop_token) {
                         ++runs;
                         return core::Completed{};
                     }));
        registry.add("t", transactional_handler([this](const core::Job&, storage::Transaction&, std::stop_token) {
                         ++runs;
                         return core::Completed{};
                     }));
        return registry;
    }

    std::atomic<int> runs{0};
};

TEST_F(PayloadSchemasTest, bury_a_payload_that_breaks_a_rule_before_the_handler_runs) {
    for (const std::string kind : {"k", "t"}) {
        register_schema(R"({"properties": {"to": {"items": {"type": "string"}}}})", kind);
        const auto bad = enqueue(R"({"to": ["a", 7]})", kind);
        const auto good = enqueue(R"({"to": ["a", "b"]})", kind);
        runs = 0;
        start(counting());
        ASSERT_TRUE(reaches(bad, "discarded"));
        ASSERT_TRUE(reaches(good, "completed"));
        EXPECT_EQ(runs, 1);
        EXPECT_EQ(of(bad, "error"), "the payload is not as the schema of " + kind +
                                        " wants it: /to/1: type: string expected, integer found");
        EXPECT_EQ(of(bad, "attempt"), "1") << "not tried again";
        worker.reset();  // it would not know of the next schema at once
    }
}

TEST_F(PayloadSchemasTest, are_heard_of_by_a_worker_that_runs_and_so_is_their_end) {
    start(counting());
    EXPECT_TRUE(a_number_ends_as("completed"));
    register_schema(R"({"type": "string"})");
    EXPECT_TRUE(a_number_ends_as("discarded"));
    database.execute("select millrace.register_schema('k', null)");
    EXPECT_TRUE(a_number_ends_as("completed"));
}

TEST_F(PayloadSchemasTest, that_are_not_understood_put_jobs_off_and_the_log_says_so) {
    register_schema(R"({"unevaluatedProperties": false})");
    const auto job = enqueue("{}");
    auto& running = start(counting());
    ASSERT_TRUE(reaches(job, "scheduled"));
    EXPECT_EQ(runs, 0);
    EXPECT_EQ(of(job, "attempt"), "0") << "not counted";
    EXPECT_EQ(running.log().count("the schema of this kind is not understood, its jobs are put off"), 1U);
    EXPECT_NE(running.log().text().find("/unevaluatedProperties: is not supported here"), std::string::npos);
}

}  // namespace
}  // namespace millrace::testing
