#include "engine/completer.hpp"

#include "storage/worker_store.hpp"
#include "support/database.hpp"
#include "support/log_watch.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Failed;
using engine::Urgency;

class CompleterTest : public ::testing::Test {
protected:
    std::vector<core::Job> claim(int jobs) {
        database.create_queue("q");
        database.execute("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[$1::int]))",
                         {std::to_string(jobs)});
        const auto session = database.sessions().open("test");
        lease = std::make_shared<engine::Lease>(storage::WorkerStore{*session}.open({"test", "1", {"q"}, 30s}));
        return storage::JobStore{*session}.claim(lease->worker, "q", 1000);
    }
    void submit(const core::Job& job, core::Outcome outcome, Urgency urgency = Urgency::can_wait) {
        completer.submit({job.id, job.fence, std::move(outcome)}, lease, tally, urgency);
    }
    // Settles what was submitted, and returns.
    void settle_all() {
        std::stop_source stop;
        stop.request_stop();
        completer.run(stop.get_token(), {});
    }

    Database database;
    LogWatch log;
    engine::Stats stats;
    engine::Tally tally;
    std::shared_ptr<const engine::Lease> lease;
    std::atomic<int> told_of_delays{0};
    engine::AnswerWatch answers{std::chrono::hours{1}};
    engine::Spans spans;
    engine::Completer completer{database.sessions(), [this] { ++told_of_delays; }, answers, stats, log.log(), &spans};
};

TEST_F(CompleterTest, settles_all_that_was_submitted_before_it_ends) {
    for (const auto& job : claim(777))
        submit(job, Completed{});
    settle_all();
    EXPECT_EQ(stats.completed, 777U);
    EXPECT_EQ(database.value("select count(distinct finished_at) from millrace.finished"), "2") << "500 at a time";
}

TEST_F(CompleterTest, settles_the_last_result_without_waiting_for_more) {
    const auto jobs = claim(2);
    std::jthread thread{[&](const std::stop_token& stop) { completer.run(stop, {}); }};
    submit(jobs[0], Completed{}, Urgency::now);
    EXPECT_TRUE(database.becomes("select completed from millrace.queues", "1"));
    submit(jobs[1], Completed{}, Urgency::can_wait);
    EXPECT_TRUE(database.becomes("select completed from millrace.queues", "2")) << "5 ms later";
}

TEST_F(CompleterTest, tells_when_jobs_were_put_off_because_somebody_must_promote_them) {
    const auto jobs = claim(2);
    submit(jobs[0], Completed{});
    settle_all();
    EXPECT_EQ(told_of_delays, 0);
    submit(jobs[1], Failed{"no", 1ms});
    settle_all();
    EXPECT_EQ(told_of_delays, 1);
}

TEST_F(CompleterTest, releases_the_lease_of_what_is_settled_and_not_before) {
    const auto jobs = claim(1);
    submit(jobs[0], Completed{});
    EXPECT_EQ(lease.use_count(), 2);
    settle_all();
    EXPECT_EQ(lease.use_count(), 1);
}

TEST_F(CompleterTest, drops_and_counts_what_is_no_longer_held) {
    const auto jobs = claim(3);
    database.execute("delete from millrace.running where job_id = $1", {std::to_string(jobs[1].id.value)});
    for (const auto& job : jobs)
        submit(job, Completed{});
    settle_all();
    EXPECT_EQ(stats.completed, 2U);
    EXPECT_EQ(stats.lost, 1U);
    EXPECT_NE(log.text().find("first=" + std::to_string(jobs[1].id.value)), std::string::npos) << log.text();
}

TEST_F(CompleterTest, tells_of_a_settle_that_came_too_late) {
    const auto jobs = claim(2);
    database.execute("delete from millrace.running where job_id = $1", {std::to_string(jobs[1].id.value)});
    for (const auto& job : jobs) {
        completer.submit({job.id, job.fence, Completed{}}, lease, tally, Urgency::can_wait,
                         std::make_shared<const engine::JobTrace>());
    }
    settle_all();
    const auto told = spans.take(3, 0ms, {});
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].error, "");
    EXPECT_EQ(told[1].error, "lost");
}

TEST_F(CompleterTest, reports_nothing_that_was_not_answered) {
    const auto jobs = claim(1);
    const storage::SessionFactory nowhere{"host=/nonexistent"};
    engine::Completer unheard{nowhere, [this] { ++told_of_delays; }, answers, stats, log.log()};
    unheard.submit({jobs[0].id, jobs[0].fence, Failed{"no", {}}}, lease, tally, Urgency::now);
    std::stop_source give_up;
    std::jthread thread{[&](const std::stop_token& stop) { unheard.run(stop, give_up.get_token()); }};
    EXPECT_TRUE(log.await("cannot connect"));
    give_up.request_stop();
    thread.join();
    EXPECT_EQ(stats.failed, 0U);
    EXPECT_EQ(told_of_delays, 0);
}

TEST_F(CompleterTest, makes_a_dead_letter_of_a_job_that_can_be_neither_completed_nor_retried) {
    const auto jobs = claim(2);
    database.execute("alter table millrace.scheduled add constraint refuse check (job_id <> " +
                     std::to_string(jobs[0].id.value) + ")");
    submit(jobs[0], Completed{"no json", {}});
    submit(jobs[1], Completed{"{}", {}});
    settle_all();
    EXPECT_EQ(stats.completed, 1U);
    EXPECT_EQ(stats.discarded, 1U);
    EXPECT_NE(database.value("select error from millrace.dead_letters").find("its outcome was refused"),
              std::string::npos);
}

TEST_F(CompleterTest, sends_no_more_successors_at_a_time_than_the_database_takes) {
    const auto jobs = claim(30);
    Completed done;
    done.successors.assign(90, {.queue = "q", .kind = "next"});
    for (const auto& job : jobs)
        submit(job, done);
    settle_all();
    EXPECT_EQ(stats.completed, 30U);
    EXPECT_EQ(log.text().find("refused"), std::string::npos) << log.text();
    EXPECT_EQ(database.value("select count(*) from millrace.jobs where kind = 'next'"), "2700");
    EXPECT_EQ(database.value("select count(distinct finished_at) from millrace.finished"), "3");
}

TEST_F(CompleterTest, sends_no_more_bytes_at_a_time_than_are_well_kept_twice) {
    for (const auto& job : claim(40))
        submit(job, Completed{'"' + std::string((std::size_t{1} << 20U) - 2, 'x') + '"', {}});
    settle_all();
    EXPECT_EQ(stats.completed, 40U);
    EXPECT_EQ(database.value("select max(results) from (select count(*) as results from millrace.finished"
                             "                           group by finished_at) batch"),
              "16");
}

TEST_F(CompleterTest, holds_claimers_back_while_too_much_is_unsettled) {
    for (const auto& job : claim(10))
        submit(job, Completed{});
    std::stop_source stop;
    std::atomic<bool> let_go{false};
    std::jthread claimer{[&] {
        completer.await_below(10, stop.get_token());
        let_go = true;
    }};
    EXPECT_FALSE(let_go);
    settle_all();
    claimer.join();
    EXPECT_TRUE(let_go);
}

TEST_F(CompleterTest, gives_up_when_told_to) {
    std::stop_source stop;
    std::stop_source give_up;
    stop.request_stop();
    give_up.request_stop();
    submit(claim(1)[0], Completed{});
    completer.run(stop.get_token(), give_up.get_token());
    EXPECT_EQ(stats.completed, 0U);
}

}  // namespace
}  // namespace millrace::testing
