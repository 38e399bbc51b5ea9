#pragma once
// A job kind's code. All that a handler may know of the engine stands here.
//
// Thread rule: one handler object serves all attempts of its kind, concurrently, on executor threads. A handler
// watches `stop`: it is requested when the attempt's deadline passes, when its job is cancelled, when the lease is
// lost, and when the drain of a shutdown has run out; whatever is returned after a lost lease is refused by the fence.
// One that does not end within the worker's stop_grace finds its transaction's session hung up.

#include "core/job.hpp"
#include "core/outcome.hpp"

#include <stop_token>

namespace millrace::storage {
class Transaction;
}

namespace millrace::engine {

class Handler {
public:
    Handler() = default;
    Handler(const Handler&) = delete;
    Handler& operator=(const Handler&) = delete;
    virtual ~Handler() = default;

    // At least once: an attempt may be repeated after a crash, so effects outside the database need a key of their own.
    virtual core::Outcome run(const core::Job& job, std::stop_token stop) = 0;
};

// Settles in the transaction in which it writes its effects: exactly once for effects in this database.
class TransactionalHandler {
public:
    TransactionalHandler() = default;
    TransactionalHandler(const TransactionalHandler&) = delete;
    TransactionalHandler& operator=(const TransactionalHandler&) = delete;
    virtual ~TransactionalHandler() = default;

    // The engine settles with the returned outcome in `transaction` and commits, or rolls everything back together.
    // `Failed` rolls the effects back and settles in a transaction of its own.
    virtual core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) = 0;
};

}  // namespace millrace::engine
