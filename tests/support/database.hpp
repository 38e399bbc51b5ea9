#pragma once
// A database of its own for one test: a clone of the template that the test runner has prepared.
//
// MILLRACE_TEST_ADMIN names a server (a libpq connection string of a superuser), MILLRACE_TEST_TEMPLATE a database
// there with millrace installed. Clones have names of their own, so tests run side by side.
//
// Thread rule: one thread. The connection strings may be used anywhere.

#include "storage/session.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace millrace::testing {

class Database {
public:
    // Throws std::runtime_error when the environment names no server.
    Database();
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    [[nodiscard]] const std::string& admin_conninfo() const noexcept { return admin_conninfo_; }
    // As a member of millrace_worker and nothing else.
    [[nodiscard]] const std::string& worker_conninfo() const noexcept { return worker_conninfo_; }
    [[nodiscard]] const storage::SessionFactory& sessions() const noexcept { return sessions_; }  // a worker's

    // As superuser, in autocommit; parameters are texts.
    void execute(const std::string& statement, const std::vector<std::string>& parameters = {});
    // The only field of the only row; empty for null or no row.
    [[nodiscard]] std::string value(const std::string& statement, const std::vector<std::string>& parameters = {});

    void create_queue(const std::string& queue, const std::string& options = "");  // e.g. "max_attempts => 3"
    std::int64_t enqueue(const std::string& queue, const std::string& kind, const std::string& payload = "{}",
                         const std::string& options = "");
    [[nodiscard]] std::string state_of(std::int64_t job);  // as in millrace.jobs

    // Asks again until the statement's value is `expected`; false when it is not so within a minute.
    [[nodiscard]] bool becomes(const std::string& statement, const std::string& expected);

    // From here on millrace.now() is the server's clock plus what was advanced.
    void advance_clock(std::chrono::milliseconds amount);

    // Ends the connections whose application name is like the pattern; returns how many.
    int terminate(const std::string& application_name_pattern);

private:
    struct State;
    std::string name_;
    std::string admin_conninfo_;
    std::string worker_conninfo_;
    storage::SessionFactory sessions_;
    std::unique_ptr<State> state_;
};

}  // namespace millrace::testing
