#include "storage/job_store.hpp"

#include "storage/error.hpp"
#include "storage/translation.hpp"
#include "storage/worker_store.hpp"
#include "support/database.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace millrace::storage {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Discarded;
using core::Failed;
using core::Outcome;
using core::Released;
using core::Snoozed;

class JobStoreTest : public ::testing::Test {
protected:
    core::WorkerId open_worker() {
        database.create_queue("q", "max_attempts => 3");
        return WorkerStore{*session}.open({"tester", "1", {"q"}, 30s});
    }

    core::Job claim_one() {
        auto claimed = jobs.claim(worker, "q", 1);
        EXPECT_EQ(claimed.size(), 1U);
        return claimed.at(0);
    }
    std::vector<core::JobId> settle(const core::Job& job, Outcome outcome) {
        const Settlement settlement{job.id, job.fence, std::move(outcome)};
        return jobs.settle(std::span{&settlement, 1});
    }

    testing::Database database;
    std::unique_ptr<Session> session = database.sessions().open("test");
    JobStore jobs{*session};
    core::WorkerId worker = open_worker();
};

TEST_F(JobStoreTest, claims_nothing_from_an_empty_queue) {
    EXPECT_TRUE(jobs.claim(worker, "q", 10).empty());
}

TEST_F(JobStoreTest, claims_jobs_with_all_that_a_handler_may_know) {
    const auto id = database.enqueue("q", "greet", R"({"to": "Zürich", "n": [1, null]})",
                                     "priority => 2, timeout => '1.5 seconds', max_attempts => 7,"
                                     "traceparent => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'");
    const auto job = claim_one();
    EXPECT_EQ(job.id.value, id);
    EXPECT_EQ(job.queue, "q");
    EXPECT_EQ(job.kind, "greet");
    EXPECT_EQ(job.priority, 2);
    EXPECT_EQ(job.attempt, 1);
    EXPECT_EQ(job.max_attempts, 7);
    EXPECT_EQ(job.payload, R"({"n": [1, null], "to": "Zürich"})");
    EXPECT_EQ(job.timeout, 1500ms);
    EXPECT_EQ(job.traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    EXPECT_EQ(database.state_of(id), "running");
}

TEST_F(JobStoreTest, leaves_out_what_a_job_does_not_have) {
    database.enqueue("q", "greet");
    const auto job = claim_one();
    EXPECT_FALSE(job.timeout);
    EXPECT_TRUE(job.traceparent.empty());
}

TEST_F(JobStoreTest, claims_no_more_than_it_is_asked_for) {
    for (int i = 0; i < 5; ++i)
        database.enqueue("q", "k");
    EXPECT_EQ(jobs.claim(worker, "q", 3).size(), 3U);
    EXPECT_EQ(jobs.claim(worker, "q", 100'000).size(), 2U) << "and no more than one statement may";
}

TEST_F(JobStoreTest, settles_every_outcome_in_one_call) {
    for (int i = 0; i < 6; ++i)
        database.enqueue("q", "k");
    const auto claimed = jobs.claim(worker, "q", 6);
    ASSERT_EQ(claimed.size(), 6U);
    std::vector<Settlement> settlements;
    const std::vector<Outcome> outcomes{Completed{R"({"sent": true})", {}},
                                        Failed{"a \"bad\", {day}", 90s},
                                        Failed{"again", {}},
                                        Snoozed{1h},
                                        Discarded{"no such address"},
                                        Released{}};
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        settlements.push_back({claimed[i].id, claimed[i].fence, outcomes[i]});
    }
    EXPECT_TRUE(jobs.settle(settlements).empty());

    const auto state = [&](std::size_t i) { return database.state_of(claimed[i].id.value); };
    EXPECT_EQ(state(0), "completed");
    EXPECT_EQ(state(1), "scheduled");
    EXPECT_EQ(state(2), "scheduled");
    EXPECT_EQ(state(3), "scheduled");
    EXPECT_EQ(state(4), "discarded");
    EXPECT_EQ(state(5), "available");
    const auto of = [&](std::size_t i, const std::string& column) {
        return database.value("select " + column + "::text from millrace.jobs where id = $1",
                              {std::to_string(claimed[i].id.value)});
    };
    EXPECT_EQ(of(0, "result"), R"({"sent": true})");
    EXPECT_EQ(of(1, "error"), "a \"bad\", {day}");
    EXPECT_EQ(of(1, "round(extract(epoch from run_at - millrace.now()) / 10)"), "9") << "90 s, not the backoff";
    EXPECT_EQ(of(4, "error"), "no such address");
    EXPECT_EQ(of(1, "attempt"), "1");
    EXPECT_EQ(of(3, "attempt"), "0") << "a snooze does not count";
    EXPECT_EQ(of(5, "attempt"), "0") << "neither does giving back";
}

TEST_F(JobStoreTest, settles_plain_completions_as_well) {
    for (int i = 0; i < 3; ++i)
        database.enqueue("q", "k");
    std::vector<Settlement> settlements;
    for (const auto& job : jobs.claim(worker, "q", 3))
        settlements.push_back({job.id, job.fence, Completed{}});
    EXPECT_TRUE(jobs.settle(settlements).empty());
    EXPECT_EQ(database.value("select completed from millrace.queues where name = 'q'"), "3");
}

TEST_F(JobStoreTest, enqueues_successors_with_the_settle_that_is_accepted) {
    database.create_queue("next");
    database.enqueue("q", "k");
    const auto job = claim_one();
    const Completed outcome{"",
                            {{.queue = "next", .kind = "a \"quoted\" kind", .payload = R"({"n":1})", .priority = 1},
                             {.queue = "next", .kind = "later", .delay = 1h}}};
    EXPECT_TRUE(settle(job, outcome).empty());
    EXPECT_TRUE(settle(job, outcome).empty()) << "repeated after a lost answer: accepted";
    EXPECT_EQ(database.value("select string_agg(kind || ' ' || state || ' ' || priority || ' ' || payload, '; '"
                             " order by id) from millrace.jobs where queue = 'next'"),
              R"(a "quoted" kind available 1 {"n": 1}; later scheduled 5 {})");
}

TEST_F(JobStoreTest, returns_the_jobs_that_a_fence_does_not_hold) {
    for (int i = 0; i < 2; ++i)
        database.enqueue("q", "k");
    const auto claimed = jobs.claim(worker, "q", 2);
    const std::vector<Settlement> settlements{{claimed[0].id, core::Fence{claimed[0].fence.value + 1}, Completed{}},
                                              {claimed[1].id, claimed[1].fence, Completed{}}};
    EXPECT_EQ(jobs.settle(settlements), std::vector{claimed[0].id});
    EXPECT_EQ(database.state_of(claimed[0].id.value), "running");
    EXPECT_EQ(database.state_of(claimed[1].id.value), "completed");
}

TEST_F(JobStoreTest, accepts_the_same_settle_again_and_no_other) {
    database.enqueue("q", "k");
    const auto job = claim_one();
    EXPECT_TRUE(settle(job, Completed{}).empty());
    EXPECT_TRUE(settle(job, Completed{}).empty());
    EXPECT_EQ(settle(job, Discarded{"no"}), std::vector{job.id});
    EXPECT_EQ(database.state_of(job.id.value), "completed");
}

TEST_F(JobStoreTest, settles_within_the_transaction_of_the_effects) {
    database.execute("create table public.ledger (job bigint)");
    database.execute("grant insert on public.ledger to millrace_worker");
    database.enqueue("q", "k");
    const auto job = claim_one();
    const Settlement settlement{job.id, job.fence, Completed{}};
    {
        Transaction transaction{*session};
        execute(transaction, "insert into public.ledger values ($1)", job.id.value);
        settle_within(transaction, settlement);
    }
    EXPECT_EQ(database.state_of(job.id.value), "running") << "rolled back together";
    {
        Transaction transaction{*session};
        execute(transaction, "insert into public.ledger values ($1)", job.id.value);
        settle_within(transaction, settlement);
        transaction.commit();
    }
    EXPECT_EQ(database.state_of(job.id.value), "completed");
    EXPECT_EQ(database.value("select count(*) from public.ledger"), "1");

    Transaction late{*session};
    EXPECT_THROW(settle_within(late, {job.id, core::Fence{1}, Completed{}}), LeaseLost);
}

TEST_F(JobStoreTest, tells_whether_a_lease_still_holds) {
    database.enqueue("q", "k");
    const auto job = claim_one();
    EXPECT_NO_THROW(jobs.assert_lease(job.id, job.fence));
    EXPECT_THROW(jobs.assert_lease(job.id, core::Fence{1}), LeaseLost);
}

TEST_F(JobStoreTest, claims_nothing_for_a_session_that_has_ended) {
    WorkerStore workers{*session};
    database.enqueue("q", "k");
    const auto job = claim_one();
    EXPECT_EQ(workers.close(worker), 1) << "what it held goes back";
    EXPECT_THROW(std::ignore = jobs.claim(worker, "q", 1), SessionEnded);
    EXPECT_THROW(workers.heartbeat(worker, Draining::no), SessionEnded);
    EXPECT_THROW(workers.close(worker), SessionEnded);
    EXPECT_EQ(settle(job, Completed{}), std::vector{job.id});
}

TEST_F(JobStoreTest, refuses_a_queue_that_is_not_there) {
    const auto expect_unknown = [](auto call) {
        try {
            call();
            ADD_FAILURE() << "not refused";
        } catch (const Error& error) {
            EXPECT_EQ(error.sqlstate(), "MR003");
            EXPECT_FALSE(error.hint().empty());
        }
    };
    expect_unknown([&] { std::ignore = jobs.claim(worker, "nowhere", 1); });
    expect_unknown([&] { std::ignore = WorkerStore{*session}.open({"tester", "1", {"nowhere"}, 30s}); });
}

TEST_F(JobStoreTest, refuses_a_result_that_is_no_json) {
    database.enqueue("q", "k");
    const auto job = claim_one();
    try {
        settle(job, Completed{"{broken", {}});
        FAIL() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.sqlstate(), "22P02");
        EXPECT_FALSE(error.is_passing());
    }
    EXPECT_EQ(database.state_of(job.id.value), "running");
}

TEST_F(JobStoreTest, raises_and_lowers_the_flag_that_makes_producers_notify) {
    const auto raised = [&] { return database.value("select signal_raised from millrace.queues where name = 'q'"); };
    EXPECT_EQ(raised(), "f");
    jobs.raise_signal("q");
    EXPECT_EQ(raised(), "t");
    jobs.raise_signal("q");
    jobs.lower_signal("q");
    EXPECT_EQ(raised(), "f");
}

TEST_F(JobStoreTest, shows_who_the_worker_is_and_that_it_drains) {
    WorkerStore{*session}.heartbeat(worker, Draining::yes);
    EXPECT_EQ(database.value("select name || ' ' || version || ' ' || array_to_string(queues, ',') || ' ' || draining"
                             " from millrace.workers where id = $1",
                             {std::to_string(worker.value)}),
              "tester 1 q true");
    EXPECT_EQ(database.value("select pid from millrace.workers"), std::to_string(getpid()));
}

}  // namespace
}  // namespace millrace::storage
