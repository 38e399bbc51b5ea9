#include "handlers/builtin/noop.hpp"

namespace millrace::handlers::builtin {

core::Outcome Noop::run(const core::Job&, std::stop_token) {
    return core::Completed{};
}

}  // namespace millrace::handlers::builtin
