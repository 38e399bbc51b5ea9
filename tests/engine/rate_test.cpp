// A worker of a queue with a rate: it starts no more than there are tokens for, and does not poll for them.

#include "support/worker_test.hpp"

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;

class Rate : public WorkerTest {
protected:
    void set(const std::string& changes) {
        database.execute("select millrace.configure_queue('q', $1::jsonb)", {changes});
    }
    static engine::WorkerSettings never_polls() {
        auto settings = quick_settings();
        settings.poll_interval = 1h;
        return settings;
    }
};

TEST_F(Rate, sleeps_until_the_next_token_and_does_not_poll) {
    set(R"({"rate": "2 per second", "burst": 1})");
    auto& running = start(no_op, never_polls());
    ASSERT_TRUE(running.log().await("listening"));
    const auto before = running.stats().claims.load();
    enqueue_many(4);
    ASSERT_TRUE(completes(4));
    EXPECT_LE(running.stats().claims - before, 14U) << "two for each job, and some before it knows";
    EXPECT_EQ(database.value("select count(*) from millrace.finished a, millrace.finished b where a.job_id < b.job_id"
                             " and b.claimed_at - a.claimed_at < interval '0.5 s'"),
              "0");
}

TEST_F(Rate, is_not_stirred_by_what_is_enqueued_while_there_is_no_token_but_by_another_rate) {
    set(R"({"rate": "1 per hour"})");
    auto& running = start(no_op, never_polls());
    ASSERT_TRUE(running.log().await("listening"));
    enqueue_many(2);
    ASSERT_TRUE(completes(1));
    ASSERT_TRUE(database.becomes("select running from millrace.queues", "0"));
    database.execute("select millrace.raise_signal('q')");
    const auto claims = running.stats().claims.load();
    const auto wakeups = running.stats().wakeups.load();
    int enqueued = 2;
    for (; enqueued < 10'000 && running.stats().wakeups - wakeups < 10; ++enqueued)
        database.enqueue("q", "k");
    EXPECT_GE(running.stats().wakeups - wakeups, 10U);
    EXPECT_LE(running.stats().claims - claims, 3U);
    set(R"({"rate": null})");
    EXPECT_TRUE(completes(enqueued));
}

// A job's start is its claim: what is claimed ahead would be started late, and many at a time.
TEST_F(Rate, claims_nothing_ahead) {
    set(R"({"rate": "10000 per second"})");
    enqueue_short_and_slow(2000, 50);
    auto& running = start([&](const core::Job& job, const std::stop_token& stop) {
        if (is_slow(job)) gate.pass(stop);
        return core::Completed{};
    });
    ASSERT_TRUE(gate.await_arrived(4));
    EXPECT_EQ(running.stats().claimed, 2004U);
    gate.open();
    EXPECT_TRUE(completes(2050));
}

TEST_F(Rate, holds_over_two_workers) {
    set(R"({"rate": "100 per second", "burst": 10})");
    start(no_op);
    RunningWorker other{database.sessions(), [] {
                            engine::Registry registry;
                            registry.add("k", handler(no_op));
                            return registry;
                        }()};
    enqueue_many(150);
    ASSERT_TRUE(completes(150));
    const auto too_many = database.value(
        "with started as (select claimed_at, row_number() over (order by claimed_at) as place from millrace.finished)"
        " select count(*) from started a join started b on b.place >= a.place"
        " where b.place - a.place + 1 > 10 + 100 * extract(epoch from b.claimed_at - a.claimed_at)");
    EXPECT_EQ(too_many, "0");
}

TEST_F(Rate, of_a_key_lets_its_jobs_go_on_time) {
    set(R"({"key_rate": "4 per second", "key_burst": 1, "key_limit": 10})");
    auto& running = start(no_op, never_polls());
    ASSERT_TRUE(running.log().await("listening"));
    for (int i = 0; i < 4; ++i)
        database.enqueue("q", "k", "{}", "concurrency_key => 'a'");
    database.enqueue("q", "k", "{}", "concurrency_key => 'b'");
    EXPECT_TRUE(completes(5));
}

}  // namespace
}  // namespace millrace::testing
