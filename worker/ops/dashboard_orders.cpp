#include "ops/dashboard_orders.hpp"

#include "storage/error.hpp"
#include "storage/operator_store.hpp"
#include "storage/schedule_store.hpp"

#include <fmt/format.h>

#include <charconv>
#include <tuple>

namespace millrace::ops {
namespace {

using storage::OperatorAction;
using storage::OperatorStore;
using storage::Session;

// There is a function for many only, which skips what it cannot discard.
void discard(Session& session, core::JobId id) {
    OperatorStore store{session};
    const auto job = store.job(id);
    const auto filter = fmt::format(R"({{"jobs": [{}]}})", id.value);
    if (job) {
        const auto answer =
            store.act_on_many(storage::ManyAction::discard, job->row.queue, filter, 1, storage::ManyMode::change);
        if (answer.changed == 1) return;
    }
    throw storage::Error{fmt::format("discard: job {} is no dead letter, or somebody else is at it", id.value), "MR007",
                         "Look at the job."};
}

std::optional<Order> order_about_job(std::string_view action, core::JobId id) {
    Order order{.run = {}, .page_afterwards = fmt::format("/dashboard/jobs/{}", id.value)};
    if (action == "replay") {
        order.run = [id](Session& session) { OperatorStore{session}.act(OperatorAction::replay, id); };
    } else if (action == "cancel") {
        order.run = [id](Session& session) { OperatorStore{session}.act(OperatorAction::cancel, id); };
    } else if (action == "discard") {
        order.run = [id](Session& session) { discard(session, id); };
    } else {
        return std::nullopt;
    }
    return order;
}

}  // namespace

std::optional<Order> dashboard_order(std::string_view action, const std::string& of) {
    if (action == "pause_queue") {
        return Order{[of](Session& session) { OperatorStore{session}.pause_queue(of); }, "/dashboard/queues/" + of};
    }
    if (action == "resume_queue") {
        return Order{[of](Session& session) { OperatorStore{session}.resume_queue(of); }, "/dashboard/queues/" + of};
    }
    if (action == "run_schedule") {
        return Order{[of](Session& session) { std::ignore = storage::ScheduleStore{session}.run_now(of); },
                     "/dashboard/schedules"};
    }
    const auto id = job_number(of);
    return id ? order_about_job(action, *id) : std::nullopt;
}

std::optional<core::JobId> job_number(std::string_view text) {
    core::JobId id;
    const char* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, id.value);
    return failure == std::errc{} && rest == end && id.value > 0 ? std::optional{id} : std::nullopt;
}

}  // namespace millrace::ops
