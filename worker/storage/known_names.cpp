#include "storage/known_names.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {

namespace {

// Of the transaction alone: behind a pooler the connection is somebody else's afterwards.
constexpr auto limit_statement = "select pg_catalog.set_config('statement_timeout', $1, true)";

const char* statement_of(Named what) {
    switch (what) {
        case Named::queue:
            return "select name from millrace.queue_overview() order by name limit $1";
        case Named::kind:
            return "select kind from millrace.kinds order by kind limit $1";
        case Named::schedule:
            return "select name from millrace.schedules order by name limit $1";
        case Named::fork:
            return "select repo from forks.registry order by repo limit $1";
        case Named::group:
            return "select name from forks.groups order by name limit $1";
        case Named::pipeline_queue:
            return "select name from pipeline.queues order by name limit $1";
        case Named::event_type:
            return "select code from notify.types() order by code limit $1";
    }
    __builtin_unreachable();
}

}  // namespace

std::vector<std::string> known_names(Session& session, Named what) {
    Transaction transaction{session};
    execute(transaction, limit_statement, std::to_string(name_patience.count()) + "s");
    std::vector<std::string> names;
    for (const auto& row : execute(transaction, statement_of(what), most_names))
        names.emplace_back(row[0].c_str());
    transaction.commit();
    return names;
}

}  // namespace millrace::storage
