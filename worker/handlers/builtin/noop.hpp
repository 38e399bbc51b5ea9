#pragma once
// `noop`: done at once. For measuring what the queue itself costs, and for trying it out.

#include "engine/handler.hpp"

namespace millrace::handlers::builtin {

class Noop final : public engine::Handler {
public:
    core::Outcome run(const core::Job& job, std::stop_token stop) override;
};

}  // namespace millrace::handlers::builtin
