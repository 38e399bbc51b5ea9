// Handlers that settle in the transaction of their effects: exactly once, whatever happens to the connection.

#include "storage/error.hpp"
#include "storage/translation.hpp"
#include "support/worker_test.hpp"

#include <atomic>
#include <tuple>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Failed;
using core::Job;
using core::Outcome;
using core::Snoozed;

class Transactional : public WorkerTest {
protected:
    Transactional() : WorkerTest{"max_attempts => 5, retry_base => '10 milliseconds', retry_cap => '10 milliseconds'"} {
        database.execute("create table public.ledger (job bigint, attempt int)");
        database.execute("grant insert on public.ledger to millrace_worker");
    }

    static void write_ledger(storage::Transaction& transaction, const Job& job) {
        storage::execute(transaction, "insert into public.ledger values ($1, $2)", job.id.value, job.attempt);
    }
    void start_transactional(RunInTransaction run, std::chrono::milliseconds stop_grace = 10s) {
        engine::Registry registry;
        registry.add("k", transactional_handler(std::move(run)));
        auto settings = quick_settings();
        settings.stop_grace = stop_grace;
        start(std::move(registry), settings);
    }
    std::string entries() { return database.value("select count(*) from public.ledger"); }
};

TEST_F(Transactional, effects_and_settle_are_one) {
    start_transactional([](const Job& job, storage::Transaction& transaction, std::stop_token) {
        write_ledger(transaction, job);
        return Completed{R"({"written": 1})", {}};
    });
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(entries(), "1");
    EXPECT_EQ(database.value("select result from millrace.jobs"), R"({"written": 1})");
    std::ignore = worker->stop();  // what the worker counts, it counts after the commit
    EXPECT_EQ(worker->stats().completed, 1U);
}

TEST_F(Transactional, a_failure_leaves_no_effects_and_counts) {
    start_transactional([](const Job& job, storage::Transaction& transaction, std::stop_token) -> Outcome {
        write_ledger(transaction, job);
        if (job.attempt == 1) return Failed{"changed my mind", {}};
        if (job.attempt == 2) throw std::runtime_error{"or lost it"};
        if (job.attempt == 3) storage::execute(transaction, "select 1 / 0");
        return Completed{};
    });
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(database.value("select string_agg(attempt::text, ',') from public.ledger"), "4");
    EXPECT_EQ(database.value("select string_agg(error, ' | ' order by attempt) from millrace.attempt_failure"),
              "changed my mind | or lost it | division by zero [22012]");
}

TEST_F(Transactional, a_snooze_keeps_its_effects) {
    start_transactional([](const Job& job, storage::Transaction& transaction, std::stop_token) {
        write_ledger(transaction, job);
        return Snoozed{1h};
    });
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(reaches(job, "scheduled"));
    EXPECT_EQ(entries(), "1");
}

TEST_F(Transactional, a_short_snooze_is_short) {
    std::atomic<int> runs{0};
    start_transactional([&](const Job&, storage::Transaction&, std::stop_token) -> Outcome {
        if (++runs <= 12) return Snoozed{1ms};
        return Completed{};
    });
    const auto job = database.enqueue("q", "k");
    EXPECT_TRUE(reaches(job, "completed")) << "a promoter that is not told looks every two seconds";
}

TEST_F(Transactional, an_attempt_whose_job_was_taken_away_leaves_no_effects) {
    start_transactional([&](const Job& job, storage::Transaction& transaction, std::stop_token stop) {
        write_ledger(transaction, job);
        if (gate.arrived() == 0) gate.pass(stop);
        return Completed{};
    });
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    // what a reaper does, without the end of the whole session
    database.execute(
        "with gone as (delete from millrace.running returning *)"
        " insert into millrace.ready (job_id, stored_on, queue_id, priority, attempt)"
        " select job_id, stored_on, queue_id, priority, attempt from gone");
    ASSERT_TRUE(reaches(job, "completed")) << "by the second attempt";
    EXPECT_EQ(entries(), "1");
    gate.open();
    EXPECT_TRUE(worker->log().await("attempt void"));
    EXPECT_EQ(entries(), "1");
    EXPECT_EQ(database.value("select attempt from public.ledger"), "2");
}

TEST_F(Transactional, a_connection_that_is_lost_before_the_commit_costs_an_attempt_and_leaves_no_effects) {
    start_transactional([&](const Job& job, storage::Transaction& transaction, std::stop_token) {
        write_ledger(transaction, job);
        if (job.attempt == 1) storage::execute(transaction, "select pg_terminate_backend(pg_backend_pid())");
        return Completed{};
    });
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(database.value("select string_agg(attempt::text, ',') from public.ledger"), "2");
}

// The commit waits in a deferred trigger until the test has taken the backend away.
class CommitInDoubt : public Transactional {
protected:
    CommitInDoubt() {
        database.execute(
            "create function public.wait_at_commit() returns trigger language plpgsql as $$ begin"
            " if new.attempt = 1 then perform pg_sleep(20); end if; return null; end $$");
        database.execute(
            "create constraint trigger wait_at_commit after insert on public.ledger"
            " deferrable initially deferred for each row execute function public.wait_at_commit()");
        start_transactional(
            [](const Job& job, storage::Transaction& transaction, std::stop_token) {
                write_ledger(transaction, job);
                return Completed{};
            },
            200ms);
    }
    bool commit_waits() {
        return database.becomes(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and application_name = 'millrace handler'"
            " and wait_event = 'PgSleep' and query ilike 'commit%'",
            "1");
    }
};

TEST_F(CommitInDoubt, that_did_not_take_place_is_not_settled_without_its_effects) {
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(commit_waits());
    EXPECT_EQ(database.terminate("millrace handler"), 1);
    ASSERT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(database.value("select string_agg(attempt::text, ',') from public.ledger"), "2");
    EXPECT_NE(database.value("select error from millrace.attempt_failure"), "");
}

TEST_F(CommitInDoubt, is_told_of_although_the_attempt_was_asked_to_stop_meanwhile) {
    const auto job = database.enqueue("q", "k", "{}", "timeout => '100 milliseconds'");
    ASSERT_TRUE(commit_waits());
    ASSERT_TRUE(worker->log().await("attempt does not stop"));
    EXPECT_EQ(database.terminate("millrace handler"), 1);
    ASSERT_TRUE(reaches(job, "completed"));
    EXPECT_NE(database.value("select error from millrace.attempt_failure")
                  .find("the answer to the commit of its effects was lost"),
              std::string::npos);
}

TEST_F(Transactional, a_deadline_ends_the_statement_in_progress_after_a_grace) {
    start_transactional(
        [](const Job& job, storage::Transaction& transaction, std::stop_token) {
            write_ledger(transaction, job);
            if (job.attempt == 1) storage::execute(transaction, "select pg_sleep(20)");
            return Completed{};
        },
        200ms);
    const auto job = database.enqueue("q", "k", "{}", "timeout => '200 milliseconds'");
    ASSERT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(database.value("select string_agg(attempt::text, ',') from public.ledger"), "2");
    EXPECT_NE(database.value("select error from millrace.attempt_failure")
                  .find("timed out after 200 ms: its database session was hung up after 200 ms"),
              std::string::npos);
}

// What an operator may do who forgets his commit; nobody would end that wait.
TEST_F(Transactional, a_deadline_ends_the_wait_of_its_settle_for_a_lock) {
    start_transactional(
        [&](const Job& job, storage::Transaction& transaction, std::stop_token) {
            write_ledger(transaction, job);
            gate.pass();
            return Completed{};
        },
        200ms);
    const auto job = database.enqueue("q", "k", "{}", "timeout => '1 second'");
    ASSERT_TRUE(gate.await_arrived(1));
    storage::Session holder{database.admin_conninfo(), "holder"};
    {
        storage::Transaction holding{holder};
        storage::execute(holding, "select millrace.cancel($1)", job);
        gate.open();
        EXPECT_TRUE(worker->log().await("results are put aside, their rows are locked"));
    }
    ASSERT_TRUE(reaches(job, "completed")) << "he has rolled back";
    EXPECT_EQ(database.value("select string_agg(attempt::text, ',') from public.ledger"), "2");
}

TEST_F(Transactional, a_shutdown_ends_the_statement_in_progress_before_its_grace_is_over) {
    engine::Registry registry;
    registry.add("k", transactional_handler([](const Job& job, storage::Transaction& transaction, std::stop_token) {
                     write_ledger(transaction, job);
                     storage::execute(transaction, "select pg_sleep(20)");
                     return Completed{};
                 }));
    auto settings = quick_settings();
    settings.drain_timeout = 50ms;
    settings.stop_grace = 2s;
    start(std::move(registry), settings);
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(
        database.becomes("select count(*) from pg_stat_activity where datname = current_database()"
                         " and application_name = 'millrace handler' and wait_event = 'PgSleep'",
                         "1"));
    EXPECT_EQ(worker->stop(), engine::Worker::Ending::drained);
    EXPECT_EQ(database.state_of(job), "available");
    EXPECT_EQ(database.value("select attempt from millrace.ready"), "0") << "nobody's fault";
    EXPECT_EQ(entries(), "0");
}

TEST_F(Transactional, a_deadline_costs_the_next_job_of_the_slot_nothing) {
    engine::Registry registry;
    registry.add("k", transactional_handler(
                          [](const Job& job, storage::Transaction& transaction, std::stop_token stop) -> Outcome {
                              if (job.payload == R"("slow")") {  // and asks the database nothing
                                  Gate never;
                                  std::ignore = never.pass(stop);
                                  return Failed{"stopped", {}};
                              }
                              write_ledger(transaction, job);
                              return Completed{};
                          }));
    auto settings = quick_settings();
    settings.queues.front().slots = 1;
    database.enqueue("q", "k", R"("slow")", "timeout => '100 milliseconds', max_attempts => 1");
    const auto next = database.enqueue("q", "k");
    start(std::move(registry), settings);
    ASSERT_TRUE(reaches(next, "completed"));
    EXPECT_EQ(database.value("select attempt from public.ledger"), "1");
}

TEST_F(Transactional, a_thousand_jobs_have_a_thousand_effects_although_connections_are_cut) {
    std::atomic<int> runs{0};
    start_transactional([&](const Job& job, storage::Transaction& transaction, std::stop_token) {
        ++runs;
        write_ledger(transaction, job);
        return Completed{};
    });
    database.execute(
        "select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[1000]),"
        " max_attempts => 20)");
    int cut = 0;
    while (database.value("select count(*) < 900 from public.ledger") == "t") {
        if (cut < 20) cut += database.terminate("millrace handler");
    }
    ASSERT_TRUE(database.becomes("select completed from millrace.queues", "1000"));
    EXPECT_EQ(entries(), "1000");
    EXPECT_EQ(database.value("select count(distinct job) from public.ledger"), "1000");
    EXPECT_GT(cut, 0);
}

}  // namespace
}  // namespace millrace::testing
