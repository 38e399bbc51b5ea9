#pragma once
// A transaction of the server in which no statement waits or runs for long, because somebody waits for the answer. The
// stores that use the same session meanwhile take part in it, without knowing.
//
// Its limits are of the transaction alone: behind a pooler the connection is somebody else's afterwards. A statement
// that meets one throws an Error that is_passing.
//
// Throws ConnectionLost, and Error. Thread rule: that of the session.

#include "storage/session.hpp"

#include <chrono>

namespace millrace::storage {

class BoundedTransaction {
public:
    enum class Access { read_only, read_write };

    static constexpr std::chrono::seconds lock_patience{3};  // for each lock
    static constexpr std::chrono::seconds patience{5};       // for each statement

    BoundedTransaction(Session& session, Access access);
    ~BoundedTransaction();  // rolled back unless `commit` returned
    BoundedTransaction(const BoundedTransaction&) = delete;
    BoundedTransaction& operator=(const BoundedTransaction&) = delete;

    // Throws `ConnectionLost` when it is unknown whether the commit took place.
    void commit();

private:
    Session& session_;
    bool is_open_ = true;
};

}  // namespace millrace::storage
