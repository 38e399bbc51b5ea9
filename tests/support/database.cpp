#include "support/database.hpp"

#include <unistd.h>
#include <pqxx/pqxx>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <random>
#include <stdexcept>

namespace millrace::testing {
namespace {

std::string from_environment(const char* variable) {
    const char* value = std::getenv(variable);
    if (value == nullptr) throw std::runtime_error{std::string{variable} + " is not set; run ./dev test"};
    return value;
}

// A later keyword overrides an earlier one.
std::string with(const std::string& conninfo, const std::string& more) {
    return conninfo + " " + more;
}

std::string new_name() {
    static std::atomic<int> count{0};
    return "millrace_test_" + std::to_string(getpid()) + "_" + std::to_string(++count) + "_" +
           std::to_string(std::random_device{}() % 100'000);
}

pqxx::result run(pqxx::connection_base& connection, const std::string& statement,
                 const std::vector<std::string>& parameters) {
    pqxx::nontransaction work{connection};
    return work.exec_params(statement, pqxx::prepare::make_dynamic_params(parameters));
}

}  // namespace

struct Database::State {
    explicit State(const std::string& conninfo) : connection{conninfo} {}
    pqxx::connection connection;
};

Database::Database()
    : name_{new_name()},
      admin_conninfo_{with(from_environment("MILLRACE_TEST_ADMIN"), "dbname=" + name_)},
      worker_conninfo_{with(admin_conninfo_, "options='-c role=millrace_worker'")},
      sessions_{worker_conninfo_} {
    {
        pqxx::connection admin{with(from_environment("MILLRACE_TEST_ADMIN"), "dbname=postgres")};
        run(admin, "create database " + name_ + " template " + from_environment("MILLRACE_TEST_TEMPLATE"), {});
    }
    state_ = std::make_unique<State>(admin_conninfo_);
    execute("select millrace.adopt()");
}

Database::~Database() {
    state_.reset();
    try {
        pqxx::connection admin{with(from_environment("MILLRACE_TEST_ADMIN"), "dbname=postgres")};
        run(admin, "drop database if exists " + name_ + " with (force)", {});
    } catch (const std::exception&) {
        // a test may have stopped the server; the runner removes the whole cluster
    }
}

void Database::execute(const std::string& statement, const std::vector<std::string>& parameters) {
    run(state_->connection, statement, parameters);
}

std::string Database::value(const std::string& statement, const std::vector<std::string>& parameters) {
    const auto rows = run(state_->connection, statement, parameters);
    return rows.empty() ? "" : rows[0][0].as<std::string>("");
}

void Database::create_queue(const std::string& queue, const std::string& options) {
    execute("select millrace.create_queue('" + queue + "'" + (options.empty() ? "" : ", " + options) + ")");
}

std::int64_t Database::enqueue(const std::string& queue, const std::string& kind, const std::string& payload,
                               const std::string& options) {
    return std::stoll(value("select millrace.enqueue($1, $2, $3::jsonb" + (options.empty() ? "" : ", " + options) + ")",
                            {queue, kind, payload}));
}

std::string Database::state_of(std::int64_t job) {
    return value("select state from millrace.jobs where id = $1", {std::to_string(job)});
}

bool Database::becomes(const std::string& statement, const std::string& expected) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    std::mutex mutex;
    std::condition_variable never;
    while (value(statement) != expected) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::unique_lock lock{mutex};
        never.wait_for(lock, std::chrono::milliseconds{5});
    }
    return true;
}

void Database::advance_clock(std::chrono::milliseconds amount) {
    execute("create table if not exists public.test_clock (ahead interval not null)");
    execute("grant select on public.test_clock to public");
    execute("insert into public.test_clock select '0' where not exists (select from public.test_clock)");
    execute("update public.test_clock set ahead = ahead + $1::interval", {std::to_string(amount.count()) + " ms"});
    execute(
        "create or replace function millrace.now() returns timestamptz language sql volatile as"
        " $$ select pg_catalog.clock_timestamp() + (select ahead from public.test_clock) $$");
}

int Database::terminate(const std::string& application_name_pattern) {
    return std::stoi(
        value("select count(pg_terminate_backend(pid)) from pg_stat_activity"
              " where datname = current_database() and application_name like $1",
              {application_name_pattern}));
}

}  // namespace millrace::testing
