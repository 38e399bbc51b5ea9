#include "storage/queue_overview.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {

std::vector<QueueDepth> queue_overview(Session& session) {
    constexpr auto statement =
        "select name, available, scheduled, blocked, running, dead, date_part('epoch', oldest_age)"
        "  from millrace.queue_overview() order by name limit $1";
    std::vector<QueueDepth> queues;
    for (const auto& row : execute(session, statement, most_queues_seen)) {
        QueueDepth depth{.queue = row[0].c_str(),
                         .available = row[1].as<std::int64_t>(),
                         .scheduled = row[2].as<std::int64_t>(),
                         .blocked = row[3].as<std::int64_t>(),
                         .running = row[4].as<std::int64_t>(),
                         .dead = row[5].as<std::int64_t>(),
                         .oldest_age_seconds = {}};
        if (!row[6].is_null()) depth.oldest_age_seconds = row[6].as<double>();
        queues.push_back(std::move(depth));
    }
    return queues;
}

}  // namespace millrace::storage
