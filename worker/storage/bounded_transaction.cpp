#include "storage/bounded_transaction.hpp"

#include "storage/translation.hpp"

#include <exception>
#include <string>

namespace millrace::storage {
namespace {

constexpr auto limits_statement =
    "select pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('statement_timeout', $2, true)";

}  // namespace

BoundedTransaction::BoundedTransaction(Session& session, Access access) : session_{session} {
    execute(session_, access == Access::read_only ? "begin read only" : "begin read write");
    try {
        execute(session_, limits_statement, std::to_string(lock_patience.count()) + "s",
                std::to_string(patience.count()) + "s");
    } catch (...) {
        session_.hang_up();  // it is of no use with a transaction that nobody ends
        throw;
    }
}

BoundedTransaction::~BoundedTransaction() {
    if (!is_open_) return;
    try {
        execute(session_, "rollback");
    } catch (const std::exception&) {
        session_.hang_up();  // the server rolls back by itself
    }
}

void BoundedTransaction::commit() {
    is_open_ = false;
    execute(session_, "commit");
}

}  // namespace millrace::storage
