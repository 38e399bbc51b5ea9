#include "storage/installation.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {

std::string installation_id(Session& session) {
    return execute(session, "select millrace.installation_id()").at(0).at(0).c_str();
}

}  // namespace millrace::storage
