#pragma once
// What a button of the dashboard does: by the functions that the command line calls, which record who did what in
// millrace.operator_actions.
//
// Thread rule: that of the session.

#include "core/ids.hpp"
#include "storage/session.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::ops {

struct Order {
    std::function<void(storage::Session&)> run;  // throws as the stores do
    std::string page_afterwards;                 // its path
};

// `of` is a queue's or a schedule's name, or a job's number. Nothing for what no button asks for.
[[nodiscard]] std::optional<Order> dashboard_order(std::string_view action, const std::string& of);

[[nodiscard]] std::optional<core::JobId> job_number(std::string_view text);

}  // namespace millrace::ops
