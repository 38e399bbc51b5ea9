#pragma once
// `notify.upkeep`: what keeps notifications going, in the transaction that settles the job; see sql/notify/upkeep.sql.
//
// Thread rule: that of TransactionalHandler.

#include "engine/handler.hpp"

#include <stop_token>

namespace millrace::handlers::email {

class NotifyUpkeep final : public engine::TransactionalHandler {
public:
    // Pieces in one transaction; the rest is for the next job.
    static constexpr int max_pieces = 10;

    core::Outcome run(const core::Job& job, storage::Transaction& transaction, std::stop_token stop) override;
};

}  // namespace millrace::handlers::email
