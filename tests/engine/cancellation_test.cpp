// Jobs that are cancelled while they run: how their attempts hear of it, how they are stopped, and what is left behind.

#include "adapters/process.hpp"
#include "engine/reporter.hpp"
#include "storage/error.hpp"
#include "storage/translation.hpp"
#include "support/worker_test.hpp"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <tuple>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Completed;
using core::Failed;
using core::Job;
using core::Outcome;

// A heartbeat every twenty minutes: what is heard sooner was notified.
engine::WorkerSettings patient_settings() {
    auto settings = quick_settings();
    settings.lease = 1h;
    settings.stop_grace = 200ms;
    return settings;
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator descriptors{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors)));
}

class Cancellation : public WorkerTest {
protected:
    std::string cancel(std::int64_t job, const std::string& reason = "not needed") {
        return database.value("select millrace.cancel($1, $2)", {std::to_string(job), reason});
    }
    void start_transactional(RunInTransaction run) {
        engine::Registry registry;
        registry.add("k", transactional_handler(std::move(run)));
        start(std::move(registry), patient_settings());
    }
    std::string requests() { return database.value("select count(*) from millrace.cancel_request"); }
};

TEST_F(Cancellation, is_heard_at_once_and_ends_the_job) {
    start(
        [&](const Job&, std::stop_token stop) -> Outcome {
            gate.pass(stop);
            return Failed{"interrupted", {}};
        },
        patient_settings());
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    EXPECT_EQ(cancel(job), "cancelling");
    EXPECT_TRUE(reaches(job, "cancelled"));
    EXPECT_EQ(of(job, "error"), "not needed; interrupted");
    EXPECT_TRUE(worker->log().await("attempt stopped"));
    EXPECT_EQ(requests(), "0");
    std::ignore = worker->stop();  // what the worker counts, it counts after the settle
    EXPECT_EQ(worker->stats().cancelled, 1U);
}

TEST_F(Cancellation, is_heard_with_the_heartbeat_by_a_worker_that_does_not_listen) {
    auto settings = quick_settings();
    settings.listening = engine::Listening::off;
    settings.lease = 1s;
    start(
        [&](const Job&, std::stop_token stop) -> Outcome {
            gate.pass(stop);
            return Failed{"interrupted", {}};
        },
        settings);
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    EXPECT_EQ(cancel(job), "cancelling");
    EXPECT_TRUE(reaches(job, "cancelled"));
}

TEST_F(Cancellation, stops_no_other_attempt) {
    start(
        [&](const Job&, std::stop_token stop) -> Outcome {
            if (gate.pass(stop)) return Completed{};
            return Failed{"interrupted", {}};
        },
        patient_settings());
    const auto unwanted = database.enqueue("q", "k");
    const auto wanted = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(2));
    cancel(unwanted);
    EXPECT_TRUE(reaches(unwanted, "cancelled"));
    EXPECT_EQ(database.state_of(wanted), "running");
    gate.open();
    EXPECT_TRUE(reaches(wanted, "completed"));
}

TEST_F(Cancellation, leaves_a_job_completed_that_gets_done_all_the_same) {
    start(
        [&](const Job&, std::stop_token stop) {
            gate.pass(stop);
            return Completed{R"("done")", {}};
        },
        patient_settings());
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    EXPECT_EQ(cancel(job), "cancelling");
    EXPECT_TRUE(reaches(job, "completed"));
    EXPECT_EQ(of(job, "result"), R"("done")");
}

TEST_F(Cancellation, keeps_an_attempt_from_beginning_that_was_claimed_ahead) {
    auto settings = patient_settings();
    settings.queues.front().slots = 1;
    start(
        [&](const Job& job, std::stop_token stop) -> Outcome {
            if (is_slow(job) && !gate.pass(stop)) return Failed{"interrupted", {}};
            return Completed{};
        },
        settings);
    enqueue_short_and_slow(3000, 20);
    ASSERT_TRUE(gate.await_arrived(1));
    ASSERT_TRUE(completes(3000));
    ASSERT_TRUE(database.becomes("select running > 1 from millrace.queues", "t")) << "some were claimed ahead";
    const auto ahead = std::stoll(database.value("select max(job_id) from millrace.running"));
    const auto begun = std::stoll(database.value("select min(job_id) from millrace.running"));
    EXPECT_EQ(cancel(ahead), "cancelling");
    EXPECT_EQ(cancel(begun), "cancelling");
    ASSERT_TRUE(reaches(begun, "cancelled")) << "by then the worker has heard of the other, too";
    gate.open();
    EXPECT_TRUE(completes(3018));
    EXPECT_EQ(database.state_of(ahead), "cancelled");
}

TEST_F(Cancellation, hangs_up_on_a_statement_that_does_not_end_and_leaves_no_backend) {
    start_transactional([&](const Job&, storage::Transaction& transaction, std::stop_token) -> Outcome {
        std::ignore = gate.pass(std::stop_token{});
        storage::execute(transaction, "select pg_sleep(20)");
        return Completed{};
    });
    gate.open();
    const auto job = database.enqueue("q", "k");
    const std::string sleeping =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    ASSERT_TRUE(database.becomes(sleeping, "1"));
    EXPECT_EQ(cancel(job), "cancelling");
    EXPECT_TRUE(reaches(job, "cancelled"));
    EXPECT_TRUE(of(job, "error").starts_with("not needed; its database session was hung up after 200 ms"))
        << of(job, "error");
    EXPECT_TRUE(database.becomes(sleeping, "0"));
    EXPECT_EQ(worker->log().count("attempt does not stop"), 1U);
    EXPECT_EQ(worker->stats().hung_up, 1U);
}

TEST_F(Cancellation, rolls_the_effects_back) {
    database.execute("create table public.ledger (job bigint)");
    database.execute("grant insert on public.ledger to millrace_worker");
    start_transactional([&](const Job& job, storage::Transaction& transaction, std::stop_token stop) -> Outcome {
        storage::execute(transaction, "insert into public.ledger values ($1)", job.id.value);
        gate.pass(stop);
        return core::Snoozed{1h};
    });
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    cancel(job);
    EXPECT_TRUE(reaches(job, "cancelled"));
    EXPECT_EQ(database.value("select count(*) from public.ledger"), "0");
    EXPECT_EQ(worker->stats().hung_up, 0U);
}

TEST_F(Cancellation, kills_a_program_that_ignores_its_signal) {
    const auto pid_file = std::filesystem::temp_directory_path() / ("millrace-cancel-" + std::to_string(getpid()));
    const auto before = open_descriptors();
    start(
        [&](const Job&, std::stop_token stop) -> Outcome {
            const adapters::Command command{
                {"sh", "-c", "trap '' TERM; echo $$ >" + pid_file.string() + "; exec sleep 600"},
                {"PATH=/usr/bin:/bin"},
                {}};
            adapters::ProcessLimits limits;
            limits.time = 10min;
            limits.grace = 100ms;
            return Failed{"the program " + describe(run_process(command, limits, stop)), {}};
        },
        patient_settings());
    const auto job = database.enqueue("q", "k");
    pid_t pid = 0;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (pid == 0 && std::chrono::steady_clock::now() < deadline) {
        std::ifstream{pid_file} >> pid;
        std::this_thread::yield();
    }
    ASSERT_GT(pid, 0);
    cancel(job);
    EXPECT_TRUE(reaches(job, "cancelled"));
    EXPECT_EQ(of(job, "error"), "not needed; the program was asked to stop, and killed when it did not end");
    EXPECT_EQ(kill(-pid, 0), -1) << "nothing of its group is left";
    worker.reset();
    std::filesystem::remove(pid_file);
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Cancellation, of_an_attempt_that_does_not_listen_is_done_by_the_reaper_after_its_deadline) {
    start(
        [&](const Job&, std::stop_token) {
            gate.pass();
            return Completed{};
        },
        patient_settings());
    const auto job = database.enqueue("q", "k", "{}", "timeout => '1 minute'");
    ASSERT_TRUE(gate.await_arrived(1));
    EXPECT_EQ(cancel(job), "cancelling");
    EXPECT_TRUE(worker->log().await("attempt does not stop"));
    EXPECT_EQ(database.state_of(job), "running");
    database.advance_clock(71s);
    database.execute("select millrace.reap()");  // unless the worker's own was faster
    EXPECT_TRUE(reaches(job, "cancelled")) << "not available again";
    EXPECT_EQ(database.value("select error from millrace.attempt_failure"),
              "timed out: the worker did not stop it in time");
    gate.open();
    EXPECT_TRUE(worker->log().await("results dropped, their jobs are no longer ours"));
    EXPECT_EQ(database.state_of(job), "cancelled");
}

TEST_F(Cancellation, that_nobody_has_asked_for_fails_the_attempt_that_claims_it) {
    start([](const Job&, std::stop_token) { return core::Cancelled{"by myself"}; });
    const auto job = database.enqueue("q", "k", "{}", "max_attempts => 1");
    EXPECT_TRUE(reaches(job, "discarded"));
    EXPECT_NE(of(job, "error").find("nobody has cancelled job"), std::string::npos) << of(job, "error");
}

TEST_F(Cancellation, reports_of_a_handler_are_seen_while_it_runs) {
    engine::Reporter reporter{database.sessions()};
    start([&](const Job& job, std::stop_token stop) -> Outcome {
        reporter.progress(job, 140, "half \xFF way", stop);
        reporter.log(job, "began", stop);
        reporter.log(job, "", stop);
        reporter.log(job, std::string(5000, 'x'), stop);
        gate.pass(stop);
        return Completed{};
    });
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    EXPECT_EQ(of(job, "progress ->> 'percent'"), "100");
    EXPECT_EQ(of(job, "progress ->> 'message'"), "half ? way");
    EXPECT_EQ(database.value("select string_agg(left(text, 5), ' ' order by line) from millrace.job_lines"),
              "began xxxxx");
    gate.open();
    EXPECT_TRUE(reaches(job, "completed"));
}

TEST_F(Cancellation, a_report_that_the_database_refuses_costs_no_attempt) {
    engine::Reporter reporter{database.sessions()};
    database.execute(
        "create or replace function millrace.log_line(fence bigint, job_id bigint, text text) returns bigint"
        " language plpgsql as $$ begin raise exception using errcode = $3, message = 'no'; end $$");
    start([&](const Job& job, std::stop_token stop) -> Outcome {
        for (const auto* sqlstate : {"57014", "53100", "40P01", "55P03"})
            reporter.log(job, sqlstate, stop);
        return Completed{};
    });
    const auto job = database.enqueue("q", "k", "{}", "max_attempts => 1");
    EXPECT_TRUE(reaches(job, "completed")) << of(job, "error");
}

TEST_F(Cancellation, a_report_under_a_lost_lease_tells_the_handler) {
    engine::Reporter reporter{database.sessions()};
    std::atomic<bool> was_told{false};
    start([&](const Job& job, std::stop_token stop) -> Outcome {
        gate.pass();
        try {
            reporter.log(job, "still here", stop);
        } catch (const storage::LeaseLost&) {
            was_told = true;
        }
        return Completed{};
    });
    const auto job = database.enqueue("q", "k");
    ASSERT_TRUE(gate.await_arrived(1));
    database.execute("delete from millrace.running");
    gate.open();
    EXPECT_TRUE(worker->log().await("results dropped, their jobs are no longer ours"));
    EXPECT_TRUE(was_told);
    EXPECT_EQ(database.value("select count(*) from millrace.job_log where job_id = $1", {std::to_string(job)}), "0");
}

}  // namespace
}  // namespace millrace::testing
