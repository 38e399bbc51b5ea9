#pragma once
// What tests of a whole worker have in common: a database with the queue "q", a worker when they start one, a gate to
// hold its handlers.

#include "support/database.hpp"
#include "support/gate.hpp"
#include "support/running_worker.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace millrace::testing {

class WorkerTest : public ::testing::Test {
protected:
    explicit WorkerTest(const std::string& queue_options = "max_attempts => 3") {
        database.create_queue("q", queue_options);
    }

    // A worker whose kind "k" is this function.
    RunningWorker& start(RunJob run, engine::WorkerSettings settings = quick_settings()) {
        engine::Registry registry;
        registry.add("k", handler(std::move(run)));
        return start(std::move(registry), std::move(settings));
    }
    RunningWorker& start(engine::Registry registry, engine::WorkerSettings settings = quick_settings()) {
        worker.emplace(database.sessions(), std::move(registry), std::move(settings));
        return *worker;
    }

    void enqueue_many(int jobs) {
        database.execute("select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[$1::int]))",
                         {std::to_string(jobs)});
    }
    // Short ones first, so that the worker claims ahead, then those with the payload "slow".
    void enqueue_short_and_slow(int short_ones, int slow_ones) {
        database.execute(
            "select millrace.enqueue_many('q', 'k', array_fill('{}'::jsonb, array[$1::int]) ||"
            " array_fill('\"slow\"'::jsonb, array[$2::int]))",
            {std::to_string(short_ones), std::to_string(slow_ones)});
    }
    static bool is_slow(const core::Job& job) { return job.payload == R"("slow")"; }

    bool reaches(std::int64_t job, const std::string& state) {
        return database.becomes("select state from millrace.jobs where id = " + std::to_string(job), state);
    }
    bool completes(int jobs) {
        return database.becomes("select completed from millrace.queues where name = 'q'", std::to_string(jobs));
    }
    std::string of(std::int64_t job, const std::string& column) {
        return database.value("select " + column + "::text from millrace.jobs where id = $1", {std::to_string(job)});
    }
    std::string connections(const std::string& purpose) {
        return database.value(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and application_name like $1",
            {"millrace " + purpose});
    }

    Database database;
    Gate gate;
    std::optional<RunningWorker> worker;
};

inline const RunJob no_op = [](const core::Job&, std::stop_token) { return core::Completed{}; };

}  // namespace millrace::testing
