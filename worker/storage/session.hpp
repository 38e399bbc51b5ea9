#pragma once
// One connection to PostgreSQL, and disposable: a connection that was lost destroys its Session, and the caller
// opens another. libpqxx would reconnect silently inside one object and lose the session's settings; that is inhibited.
//
// Thread rule: one thread at a time. Each engine thread owns its own.

#include <chrono>
#include <memory>
#include <string>

namespace pqxx {
class connection_base;
class transaction_base;
}  // namespace pqxx

namespace millrace::storage {

// What holds for its statements: the role's statement_timeout, meant for people and applications, or none. A worker's
// own statements end by themselves; one that is cut off again and again would never be done.
enum class StatementTimeout { of_the_role, none };

class Session {
public:
    // Throws `ConnectionLost` when the server cannot be reached. `purpose` shows in pg_stat_activity as
    // `millrace <purpose>`.
    Session(const std::string& conninfo, const std::string& purpose,
            StatementTimeout timeout = StatementTimeout::of_the_role);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Ends the connection from this side: what is in progress, and whatever is tried after it, throws ConnectionLost.
    // The server rolls the transaction back when it notices, within `notice_period`. Any thread, at once, whatever the
    // network and the server do: a cancel request would wait for both.
    void hang_up() noexcept;
    static constexpr std::chrono::seconds notice_period{1};

    // For the stores of this layer only.
    [[nodiscard]] pqxx::connection_base& connection();

private:
    void watch_client(StatementTimeout timeout);

    struct State;
    std::unique_ptr<State> state_;
};

// A transaction of the caller's making; rolled back unless `commit` returned. For the stores of this layer and for
// transactional handlers, which pass it to their stores.
class Transaction {
public:
    explicit Transaction(Session& session);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    // Throws `ConnectionLost` when it is unknown whether the commit took place.
    void commit();

    // For the stores of this layer only.
    [[nodiscard]] pqxx::transaction_base& work();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Opens sessions to one database, each named by its purpose. Any thread.
class SessionFactory {
public:
    explicit SessionFactory(std::string conninfo) : conninfo_{std::move(conninfo)} {}
    [[nodiscard]] std::unique_ptr<Session> open(const std::string& purpose,
                                                StatementTimeout timeout = StatementTimeout::of_the_role) const {
        return std::make_unique<Session>(conninfo_, purpose, timeout);
    }
    [[nodiscard]] const std::string& conninfo() const noexcept { return conninfo_; }

private:
    std::string conninfo_;  // libpq keyword/value string or URI; PG* environment variables fill the rest
};

}  // namespace millrace::storage
