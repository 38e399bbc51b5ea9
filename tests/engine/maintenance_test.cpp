// When the marks are advanced. Whether there is anything to advance, and whether another worker is at it, is the
// database's to say: here it says what the test wants, and notes who asked.

#include "engine/maintenance.hpp"

#include "support/database.hpp"
#include "support/log_watch.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;

const std::string reap_is =
    "create or replace function millrace.reap(max_jobs int default 500, since timestamptz default '-infinity')"
    " returns int";

class MaintenanceTest : public ::testing::Test {
protected:
    MaintenanceTest() {
        database.create_queue("q");
        database.execute("create table public.advance (number int generated always as identity, queues text[])");
        database.execute("grant all on public.advance to public");
    }
    // The first so many calls find another session advancing.
    void let_another_advance(int calls) {
        database.execute(
            "create or replace function millrace.advance_low_water(queues text[] default null) returns int"
            " language sql security definer as $$"
            " insert into public.advance (queues) values ($1)"
            " returning case when number <= " +
            std::to_string(calls) + " then -1 else 0 end $$");
    }
    bool advances(const std::string& calls) {
        return database.becomes(
            "select coalesce(string_agg(queues::text, ' ' order by number), '') from public.advance", calls);
    }
    void start() {
        thread = std::jthread{[this](const std::stop_token& stop) { maintenance.run(stop); }};
    }

    Database database;
    LogWatch log;
    engine::Stats stats;
    engine::AnswerWatch answers{1h};
    engine::PayloadSchemas schemas{{}};
    engine::Maintenance maintenance{database.sessions(),   30s, answers, stats, log.log(), schemas,
                                    engine::Listening::off};
    std::jthread thread;
};

TEST_F(MaintenanceTest, advances_the_marks_after_a_claim_and_once_more) {
    let_another_advance(0);
    start();
    maintenance.note_claimed("q", 1);
    EXPECT_TRUE(advances("{q} {q}"));
}

TEST_F(MaintenanceTest, advances_again_where_another_worker_was_at_it) {
    let_another_advance(1);
    start();
    maintenance.note_claimed("q", 1);
    EXPECT_TRUE(advances("{q} {q} {q}"));
}

TEST_F(MaintenanceTest, keeps_notifications_up_whatever_queues_are_served) {
    database.create_queue("email");
    database.execute("select notify.emit('cl.comment.created', null, '{ada@example.org}', 'S', 'T')");
    database.execute("select millrace.cancel(job) from notify.emails");
    start();
    EXPECT_TRUE(database.becomes("select outcome from notify.delivery", "cancelled"));
}

TEST_F(MaintenanceTest, does_the_other_chores_when_notifications_cannot_be_kept_up) {
    database.execute(
        "create or replace function notify.record_ends(max_rows int) returns int language plpgsql as"
        " $$ begin raise exception 'out of order'; end $$");
    let_another_advance(0);
    start();
    EXPECT_TRUE(log.await("notifications not kept up"));
    maintenance.note_claimed("q", 1);
    EXPECT_TRUE(advances("{q} {q}"));
}

// One is refused for good, the other as if it had been cut off: neither is another's trouble.
TEST_F(MaintenanceTest, does_the_other_chores_when_one_is_refused) {
    database.execute(reap_is + " language plpgsql as $$ begin raise exception 'out of order'; end $$");
    database.execute(
        "create or replace function millrace.tick_schedules(max_jobs int default 1000, out enqueued int,"
        " out next_run_at timestamptz) language plpgsql as"
        " $$ begin raise exception using errcode = '57014', message = 'cut off'; end $$");
    let_another_advance(0);
    start();
    EXPECT_TRUE(log.await("a chore was refused, trying again", 4)) << "both, twice";
    const auto job = database.enqueue("q", "k", "{}", "delay => '1 second'");
    maintenance.note_scheduled();
    EXPECT_TRUE(database.becomes("select state from millrace.jobs where id = " + std::to_string(job), "available"));
    maintenance.note_claimed("q", 1);
    EXPECT_TRUE(database.becomes("select count(*) >= 2 from public.advance where queues = '{q}'", "t"));
    database.execute(reap_is +
                     " language sql security definer"
                     " as $$ insert into public.advance (queues) values ('{reaped}') returning 0 $$");
    EXPECT_TRUE(database.becomes("select count(*) > 0 from public.advance where queues = '{reaped}'", "t"))
        << "it is tried again";
}

TEST_F(MaintenanceTest, ends_with_a_database_that_is_not_its_own) {
    database.execute(reap_is +
                     " language plpgsql as"
                     " $$ begin raise exception using errcode = 'MR011', message = 'not here'; end $$");
    EXPECT_THROW(maintenance.run({}), storage::Error);
}

TEST_F(MaintenanceTest, takes_as_long_as_it_must_whatever_the_time_limit_of_its_role) {
    const storage::SessionFactory hurried{database.sessions().conninfo() +
                                          " options='-c role=millrace_worker -c statement_timeout=100ms'"};
    database.execute(reap_is +
                     " language sql security definer"
                     " as $$ with slow as materialized (select pg_sleep(0.3))"
                     " insert into public.advance (queues) select '{reaped}' from slow returning 0 $$");
    engine::Maintenance patient{hurried, 30s, answers, stats, log.log(), schemas, engine::Listening::off};
    const std::jthread chores{[&](const std::stop_token& stop) { patient.run(stop); }};
    EXPECT_TRUE(database.becomes("select count(*) > 0 from public.advance where queues = '{reaped}'", "t"));
}

TEST_F(MaintenanceTest, advances_the_mark_of_the_counts_after_a_fold_without_claims) {
    let_another_advance(0);
    database.enqueue("q", "k");
    start();
    EXPECT_TRUE(advances("{}"));
}

TEST_F(MaintenanceTest, enqueues_for_a_schedule_that_is_due) {
    database.execute("select millrace.create_schedule('s', '* * * * *', 'q', 'k')");
    database.advance_clock(1min);
    start();
    EXPECT_TRUE(database.becomes("select kind from millrace.jobs", "k"));
}

// It listens, and has looked for schedules and schemas: it would not look again for half a minute.
TEST_F(MaintenanceTest, looks_at_once_when_it_is_told) {
    database.execute("create table public.looked (what text)");
    database.execute("grant all on public.looked to public");
    database.execute(
        "create or replace function millrace.tick_schedules(max_jobs int default 1000, out enqueued int,"
        " out next_run_at timestamptz) language sql security definer as $$"
        " insert into public.looked values ('tick') returning 0, null::timestamptz $$");
    database.execute(
        "create or replace function millrace.payload_schemas(kinds text[] default null, known text default null,"
        " out version text, out schemas jsonb) language sql security definer as $$"
        " insert into public.looked values ('schemas') returning '1', case when known is null then '{}'::jsonb end $$");
    const auto looks = [&](const std::string& what, int times) {
        return database.becomes("select count(*) from public.looked where what = '" + what + "'",
                                std::to_string(times));
    };
    engine::Maintenance told{database.sessions(), 30s, answers, stats, log.log(), schemas, engine::Listening::on};
    const std::jthread chores{[&](const std::stop_token& stop) { told.run(stop); }};
    EXPECT_TRUE(looks("tick", 1) && looks("schemas", 1));
    told.note(storage::Announcement::News::schedules);
    EXPECT_TRUE(looks("tick", 2));
    told.note(storage::Announcement::News::schemas);
    EXPECT_TRUE(looks("schemas", 2));
}

TEST_F(MaintenanceTest, ticks_again_as_soon_as_the_next_schedule_is_due) {
    database.execute("create table public.tick (number int generated always as identity)");
    database.execute("grant all on public.tick to public");
    database.execute(
        "create or replace function millrace.tick_schedules(max_jobs int default 1000, out enqueued int,"
        " out next_run_at timestamptz) language sql security definer as $$"
        " insert into public.tick default values returning 0, millrace.now() + interval '100 ms' $$");
    start();
    EXPECT_TRUE(database.becomes("select count(*) >= 10 from public.tick", "t"));
}

// Whoever was refused for the lack of a token may have died.
TEST_F(MaintenanceTest, wakes_a_queue_when_a_token_has_come_that_jobs_wait_for) {
    database.execute("select millrace.configure_queue('q', '{\"rate\": \"5 per second\", \"burst\": 1}')");
    database.enqueue("q", "k");
    database.enqueue("q", "k");
    database.execute("select millrace.claim(millrace.open_session('w', '{q}'), 'q', 2)");
    ASSERT_EQ(database.value("select count(*) from millrace.running"), "1");
    start();
    EXPECT_TRUE(
        database.becomes("select version > 1 and wake_at > spent_until + interval '1 s' from millrace.bucket", "t"));
}

}  // namespace
}  // namespace millrace::testing
