// What a worker tells of traced jobs: a claim, a run, and a settle below the run, whoever settles.

#include "engine/spans.hpp"

#include "support/worker_test.hpp"

#include <gmock/gmock.h>

#include <map>
#include <vector>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Job;
using ::testing::IsEmpty;

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string producer = "00f067aa0ba902b7";
const std::string traced = "traceparent => '00-" + trace + "-" + producer + "-01'";

std::string said(const core::Span& span, std::string_view key) {
    for (const auto& [name, value] : span.attributes)
        if (name == key) return std::get<std::string>(value);
    return "";
}

class TracedWorker : public WorkerTest {
protected:
    void TearDown() override { worker.reset(); }  // it tells `spans`

    void start_traced(const std::string& kind, std::unique_ptr<engine::TransactionalHandler> handler) {
        engine::Registry registry;
        registry.add(kind, std::move(handler));
        worker.emplace(database.sessions(), std::move(registry), quick_settings(), &spans);
    }
    // By name, as soon as there are so many; fewer when they do not come.
    std::map<std::string, core::Span> await_spans(std::size_t amount) {
        std::map<std::string, core::Span> all;
        while (all.size() < amount) {
            auto some = spans.take(1, 10s, {});
            if (some.empty()) break;
            all.emplace(some.front().name, some.front());
        }
        return all;
    }

    engine::Spans spans;
};

TEST_F(TracedWorker, tells_as_what_a_handler_has_settled_with_its_effects) {
    std::string passed_on;
    start_traced("k", transactional_handler([&](const Job& job, storage::Transaction&, std::stop_token) {
                     passed_on = job.traceparent;
                     return Completed{};
                 }));
    database.enqueue("q", "k", "{}", traced);
    auto told = await_spans(3);
    ASSERT_EQ(told.size(), 3U);
    const auto& claim = told["claim q"];
    const auto& run = told["run q"];
    const auto& settle = told["settle q"];
    EXPECT_EQ(claim.parent, producer);
    EXPECT_EQ(run.parent, producer);
    EXPECT_EQ(settle.parent, run.context.span);
    EXPECT_EQ(run.context.trace, trace);
    EXPECT_EQ(passed_on, core::traceparent_of(run.context));
    EXPECT_EQ(said(run, "millrace.job.outcome"), "");
    EXPECT_EQ(said(settle, "millrace.job.outcome"), "completed");
    EXPECT_EQ(settle.error, "");
}

TEST_F(TracedWorker, tells_that_a_settle_came_too_late) {
    start_traced("k", transactional_handler([&](const Job& job, storage::Transaction&, std::stop_token) {
                     database.execute("delete from millrace.running where job_id = $1", {std::to_string(job.id.value)});
                     return Completed{};
                 }));
    database.enqueue("q", "k", "{}", traced);
    auto told = await_spans(3);
    EXPECT_EQ(said(told["settle q"], "millrace.job.outcome"), "lost");
    EXPECT_EQ(told["settle q"].error, "lost");
}

TEST_F(TracedWorker, tells_nothing_of_jobs_that_nobody_traces) {
    start_traced(
        "k", transactional_handler([&](const Job&, storage::Transaction&, std::stop_token) { return Completed{}; }));
    database.enqueue("q", "k");
    database.enqueue("q", "k", "{}", "traceparent => '00-" + trace + "-" + producer + "-00'");
    EXPECT_TRUE(completes(2));
    std::ignore = worker->stop();
    EXPECT_THAT(spans.take(1, 0ms, {}), IsEmpty());
}

}  // namespace
}  // namespace millrace::testing
