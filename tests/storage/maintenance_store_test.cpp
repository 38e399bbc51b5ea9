#include "storage/maintenance_store.hpp"

#include "storage/job_store.hpp"
#include "storage/worker_store.hpp"
#include "support/database.hpp"

#include <gtest/gtest.h>

namespace millrace::storage {
namespace {

using namespace std::chrono_literals;

class MaintenanceStoreTest : public ::testing::Test {
protected:
    MaintenanceStoreTest() { database.create_queue("q"); }

    testing::Database database;
    std::unique_ptr<Session> session = database.sessions().open("test");
    MaintenanceStore maintenance{*session};
};

TEST_F(MaintenanceStoreTest, promotes_what_is_due_and_tells_when_the_next_is) {
    EXPECT_FALSE(maintenance.promote(Scan::full).next_due);
    const auto soon = database.enqueue("q", "k", "{}", "delay => '20 seconds'");
    const auto later = database.enqueue("q", "k", "{}", "delay => '1 hour'");
    auto promotion = maintenance.promote(Scan::recent);
    EXPECT_EQ(promotion.promoted, 0);
    ASSERT_TRUE(promotion.next_due);
    EXPECT_GT(*promotion.next_due, 10s);
    EXPECT_LE(*promotion.next_due, 20s);

    database.advance_clock(21s);
    promotion = maintenance.promote(Scan::recent);
    EXPECT_EQ(promotion.promoted, 1);
    EXPECT_GT(promotion.next_due.value_or(0ms), 50min);
    EXPECT_EQ(database.state_of(soon), "available");
    EXPECT_EQ(database.state_of(later), "scheduled");
}

TEST_F(MaintenanceStoreTest, finds_what_was_due_long_ago_only_with_a_full_scan) {
    const auto job = database.enqueue("q", "k", "{}", "delay => '1 second'");
    database.advance_clock(10min);
    EXPECT_EQ(maintenance.promote(Scan::recent).promoted, 0);
    EXPECT_EQ(maintenance.promote(Scan::full).promoted, 1);
    EXPECT_EQ(database.state_of(job), "available");
}

TEST_F(MaintenanceStoreTest, enqueues_for_the_schedules_that_are_due_and_tells_when_the_next_is) {
    EXPECT_FALSE(maintenance.tick_schedules().next_due);
    database.execute("select millrace.create_schedule('s', '* * * * *', 'q', 'k')");
    auto ticked = maintenance.tick_schedules();
    EXPECT_EQ(ticked.enqueued, 0);
    ASSERT_TRUE(ticked.next_due);
    EXPECT_LE(*ticked.next_due, 1min);

    database.advance_clock(1min);
    ticked = maintenance.tick_schedules();
    EXPECT_EQ(ticked.enqueued, 1);
    EXPECT_LE(ticked.next_due.value_or(1h), 1min);
}

TEST_F(MaintenanceStoreTest, finds_an_attempt_that_overran_long_ago_only_with_a_full_scan) {
    const auto worker = WorkerStore{*session}.open({"slow", "1", {"q"}, 1h});
    const auto job = database.enqueue("q", "k", "{}", "timeout => '1 minute'");
    ASSERT_EQ(JobStore{*session}.claim(worker, "q", 1).size(), 1U);
    database.advance_clock(10min);
    EXPECT_EQ(maintenance.reap(Scan::recent), 0);
    EXPECT_EQ(maintenance.reap(Scan::full), 1);
    EXPECT_EQ(database.state_of(job), "available");
}

TEST_F(MaintenanceStoreTest, takes_back_the_jobs_of_a_worker_whose_lease_ran_out) {
    const auto worker = WorkerStore{*session}.open({"gone", "1", {"q"}, 30s});
    const auto job = database.enqueue("q", "k");
    ASSERT_EQ(JobStore{*session}.claim(worker, "q", 1).size(), 1U);
    EXPECT_EQ(maintenance.reap(Scan::recent), 0);
    database.advance_clock(31s);
    EXPECT_EQ(maintenance.reap(Scan::recent), 1);
    EXPECT_EQ(database.state_of(job), "available");
}

TEST_F(MaintenanceStoreTest, advances_folds_and_makes_partitions_in_transactions_of_their_own) {
    database.enqueue("q", "k");
    EXPECT_TRUE(maintenance.advance_low_water({"q"}));
    EXPECT_GT(maintenance.fold_counts(), 0);
    EXPECT_EQ(database.value("select available from millrace.queues where name = 'q'"), "1");
    database.advance_clock(24h * 3);
    maintenance.maintain_partitions();
    EXPECT_EQ(database.value("select last_day - (millrace.now() at time zone 'utc')::date from millrace.installation"),
              "7");
}

}  // namespace
}  // namespace millrace::storage
