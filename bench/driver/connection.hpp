#pragma once
// A libpq connection with as little around it as possible: what the benchmark's limits are measured with.
//
// Thread rule: one thread. Whatever goes wrong ends the program, with what the server said.

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

namespace millrace::bench {

[[noreturn]] void fail(const std::string& reason);

struct Result {
    explicit Result(PGresult* result) : held{result} {}
    [[nodiscard]] int rows() const { return PQntuples(held.get()); }
    [[nodiscard]] std::string at(int row, int column) const { return PQgetvalue(held.get(), row, column); }

    struct Clear {
        void operator()(PGresult* result) const { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> held;
};

using Parameters = std::vector<std::string>;

class Connection {
public:
    Connection();  // to what PGHOST and its like say

    Result execute(const std::string& sql);
    void prepare(const std::string& name, const std::string& sql);
    Result run(const std::string& name, const Parameters& parameters);
    void copy(const std::string& sql, const std::string& lines);
    void await_notification();  // of what was listened to before

    // From here on statements are sent without waiting for the answers before; each is a transaction of its own.
    void begin_pipeline();
    void send(const std::string& name, const Parameters& parameters);
    Result receive();  // the answer to the earliest that has not been received

private:
    Result checked(PGresult* result);

    struct Finish {
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };
    std::unique_ptr<PGconn, Finish> connection_;
};

}  // namespace millrace::bench
