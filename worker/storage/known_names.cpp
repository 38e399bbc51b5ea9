#include "storage/known_names.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {

namespace {

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
    std::vector<std::string> names;
    for (const auto& row : execute(session, statement_of(what), most_names))
        names.emplace_back(row[0].c_str());
    return names;
}

}  // namespace millrace::storage
