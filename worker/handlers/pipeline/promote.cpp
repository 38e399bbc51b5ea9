#include "handlers/pipeline/promote.hpp"

#include <nlohmann/json.hpp>

namespace millrace::handlers::pipeline {

using adapters::SourceControl;
using storage::pipeline::PromotionOutcome;

namespace {

PromotionOutcome noted(SourceControl::Promotion promotion) {
    switch (promotion) {
        case SourceControl::Promotion::moved:
            return PromotionOutcome::moved;
        case SourceControl::Promotion::was_there:
            return PromotionOutcome::was_there;
        default:
            return PromotionOutcome::vanished;
    }
}

}  // namespace

core::Outcome Promote::advance(const Work& work) {
    auto& queues = work.stores.queues;
    const auto queue = queues.get(work.payload.queue);
    if (!queue.promotion_ref || !queue.last_green_uri) return core::Completed{};
    // Nothing is locked meanwhile: a remote may take its time.
    const auto outcome =
        noted(extensions_.source_control(queue)->promote(*queue.last_green_uri, *queue.promotion_ref, work.stop));
    const auto word = queues.note_promotion(queue, outcome);
    return core::Completed{nlohmann::json{{"uri", *queue.last_green_uri}, {"promotion", word}}.dump(), {}};
}

}  // namespace millrace::handlers::pipeline
