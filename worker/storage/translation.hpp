#pragma once
// How a store of this layer runs a statement: libpqxx's exceptions become those of storage/error.hpp here and nowhere
// else.
//
// For the .cpp files of this layer only: it includes libpqxx.

#include "storage/session.hpp"

#include <pqxx/pqxx>

#include <optional>
#include <string>
#include <utility>

namespace millrace::storage {

// Inside a catch block: throws the current exception as this layer's own.
[[noreturn]] void rethrow_translated(const pqxx::connection_base& connection);

template <class Run>
decltype(auto) translated(const pqxx::connection_base& connection, Run&& run) {
    try {
        return std::forward<Run>(run)();
    } catch (...) {
        rethrow_translated(connection);
    }
}

// One statement, committed by itself in one round trip.
template <class... Arguments>
pqxx::result execute(Session& session, const char* statement, Arguments&&... arguments) {
    return translated(session.connection(), [&] {
        pqxx::nontransaction work{session.connection()};
        return work.exec_params(statement, std::forward<Arguments>(arguments)...);
    });
}

template <class... Arguments>
pqxx::result execute(Transaction& transaction, const char* statement, Arguments&&... arguments) {
    return translated(transaction.work().conn(),
                      [&] { return transaction.work().exec_params(statement, std::forward<Arguments>(arguments)...); });
}

// As a parameter: null instead of an empty text.
inline std::optional<std::string> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional{text};
}

}  // namespace millrace::storage
