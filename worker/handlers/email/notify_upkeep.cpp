#include "handlers/email/notify_upkeep.hpp"

#include "storage/notify_store.hpp"

namespace millrace::handlers::email {

core::Outcome NotifyUpkeep::run(const core::Job&, storage::Transaction& transaction, std::stop_token stop) {
    for (int piece = 0; piece < max_pieces && !stop.stop_requested(); ++piece) {
        if (!storage::keep_up_notifications(transaction)) break;
    }
    return core::Completed{};
}

}  // namespace millrace::handlers::email
