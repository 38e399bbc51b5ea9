#include "storage/installation.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {

std::string installation_id(Session& session) {
    return execute(session,
                   "select c.system_identifier || '.' || d.oid"
                   "  from pg_control_system() c, pg_database d where d.datname = current_database()")
        .at(0)
        .at(0)
        .c_str();
}

}  // namespace millrace::storage
