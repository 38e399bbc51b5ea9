#pragma once
// What tells this database from every other one, for ever.

#include "storage/session.hpp"

#include <string>

namespace millrace::storage {

// Of letters, digits and dots: the server's system identifier and the database's number on it.
[[nodiscard]] std::string installation_id(Session& session);

}  // namespace millrace::storage
