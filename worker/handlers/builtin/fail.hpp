#pragma once
// `fail`: every attempt fails with the payload's {"error": "text"}. For trying out retries and dead letters.

#include "engine/handler.hpp"

namespace millrace::handlers::builtin {

class Fail final : public engine::Handler {
public:
    core::Outcome run(const core::Job& job, std::stop_token stop) override;
};

}  // namespace millrace::handlers::builtin
