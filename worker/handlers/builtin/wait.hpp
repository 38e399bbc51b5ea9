#pragma once
// `wait`: occupies a slot and does nothing else. For trying out drains, deadlines and dead workers.
//
//     {"ms": 1500}              completed after so long, at most a day
//     {"until_stopped": true}   runs until it is asked to stop
//
// Asked to stop, it has failed; the engine gives the job back instead when the worker is shutting down.

#include "engine/handler.hpp"

namespace millrace::handlers::builtin {

class Wait final : public engine::Handler {
public:
    core::Outcome run(const core::Job& job, std::stop_token stop) override;
};

}  // namespace millrace::handlers::builtin
