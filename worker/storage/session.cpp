#include "storage/session.hpp"

#include "storage/conninfo.hpp"
#include "storage/error.hpp"
#include "storage/handler_purpose.hpp"
#include "storage/translation.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace millrace::storage {
namespace {

// The second is known from PostgreSQL 17 on.
void lift_idle_limits(pqxx::connection& connection) {
    constexpr auto statement =
        "select pg_catalog.set_config(limits.name, '0', false)"
        "  from unnest('{idle_in_transaction_session_timeout,transaction_timeout}'::text[]) limits(name)"
        " where pg_catalog.current_setting(limits.name, true) is not null";
    pqxx::nontransaction{connection}.exec(statement);
}

}  // namespace

struct Session::State {
    explicit State(const std::string& conninfo) : connection{conninfo} {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
        connection.set_verbosity(pqxx::connection_base::verbose);  // see translation.cpp
        socket = ::fcntl(connection.sock(), F_DUPFD_CLOEXEC, 0);
        if (socket < 0) throw ConnectionLost{"no descriptor is left to hang up with"};
    }
    ~State() {
        ::close(socket);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    pqxx::connection connection;
    // The same socket by a number that stays ours: libpq may close its own while another thread hangs up.
    int socket = -1;
    pqxx::quiet_errorhandler quiet{connection};  // notices are for psql; otherwise they go to our standard error
};

Session::Session(const std::string& conninfo, const std::string& purpose, StatementTimeout timeout) {
    const auto completed = completed_conninfo(conninfo, purpose);
    try {
        state_ = std::make_unique<State>(completed);
        // JSON and the migrations are UTF-8, whatever PGCLIENTENCODING or the connection string says.
        if (state_->connection.get_client_encoding() != "UTF8") state_->connection.set_client_encoding("UTF8");
        watch_client(timeout);
        if (purpose == handler_purpose) lift_idle_limits(state_->connection);
    } catch (const pqxx::failure& error) {
        throw ConnectionLost{error.what()};
    }
}

Session::~Session() = default;

// Without the first, a backend whose client has hung up runs its statement to the end; some platforms' servers cannot.
// Without the others, one whose client's host has vanished keeps its transaction, and the rows that it holds, until the
// kernel's own time limits are over: two hours. They mean nothing on a Unix socket.
void Session::watch_client(StatementTimeout timeout) {
    std::string with_host{
        "select pg_catalog.set_config('tcp_keepalives_idle', '30', false),"
        "       pg_catalog.set_config('tcp_keepalives_interval', '5', false),"
        "       pg_catalog.set_config('tcp_keepalives_count', '3', false),"
        "       pg_catalog.set_config('tcp_user_timeout', '30000', false)"};
    if (timeout == StatementTimeout::none) with_host += ", pg_catalog.set_config('statement_timeout', '0', false)";
    const auto with_client = with_host + ", pg_catalog.set_config('client_connection_check_interval', $1, false)";
    try {
        pqxx::nontransaction{state_->connection}.exec_params(with_client, std::to_string(notice_period.count()) + "s");
    } catch (const pqxx::sql_error&) {
        pqxx::nontransaction{state_->connection}.exec(with_host);  // a statement ends by itself then
    }
}

void Session::hang_up() noexcept {
    ::shutdown(state_->socket, SHUT_RDWR);
}

pqxx::connection_base& Session::connection() {
    return state_->connection;
}

struct Transaction::State {
    explicit State(pqxx::connection_base& connection) : work{connection} {}
    pqxx::work work;
};

Transaction::Transaction(Session& session)
    : state_{translated(session.connection(), [&] { return std::make_unique<State>(session.connection()); })} {}

Transaction::~Transaction() = default;

void Transaction::commit() {
    translated(state_->work.conn(), [&] { state_->work.commit(); });
}

pqxx::transaction_base& Transaction::work() {
    return state_->work;
}

}  // namespace millrace::storage
