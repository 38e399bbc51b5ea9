#pragma once
// What the database may answer instead of a result, as this layer's own exceptions: no other layer sees libpqxx.

#include <stdexcept>
#include <string>

namespace millrace::storage {

// A statement was refused. `what()` is the server's message; `hint()` is what to do about it.
class Error : public std::runtime_error {
public:
    Error(const std::string& message, std::string sqlstate, std::string hint)
        : std::runtime_error{message}, sqlstate_{std::move(sqlstate)}, hint_{std::move(hint)} {}
    [[nodiscard]] const std::string& sqlstate() const noexcept { return sqlstate_; }
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

    // Nothing was wrong with the statement: a conflict with another transaction, a lack of resources, an operator's
    // intervention, an I/O error. It may succeed when repeated.
    [[nodiscard]] bool is_passing() const noexcept {
        const auto group = sqlstate_.substr(0, 2);
        return group == "40" || group == "53" || group == "55" || group == "57" || group == "58";
    }

    // Somebody else held a lock for longer than the statement was to wait for it.
    [[nodiscard]] bool is_locked() const noexcept { return sqlstate_ == "55P03"; }

private:
    std::string sqlstate_;
    std::string hint_;
};

// The connection is gone. Whether the last statement took effect is unknown: open another session and repeat it,
// if it is one that may be repeated.
class ConnectionLost : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// MR001: another worker holds the job now; nothing was changed.
class LeaseLost : public Error {
public:
    using Error::Error;
};

// MR002: the worker's session has ended, its jobs were given to others.
class SessionEnded : public Error {
public:
    using Error::Error;
};

// MR012: the database's schema is not the one this program was built for.
class SchemaMismatch : public Error {
public:
    using Error::Error;
};

}  // namespace millrace::storage
