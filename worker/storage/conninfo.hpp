#pragma once
// The connection string that is really used: the caller's, plus what makes a lost server noticed in seconds.
//
// Anything that the string, a service file or a PG* variable already says stands; only the application name is ours.

#include <string>

namespace millrace::storage {

// Throws Error when `conninfo` is neither a keyword/value string nor a URI of libpq.
[[nodiscard]] std::string completed_conninfo(const std::string& conninfo, const std::string& purpose);

}  // namespace millrace::storage
