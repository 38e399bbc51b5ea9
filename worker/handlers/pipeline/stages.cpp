#include "handlers/pipeline/stages.hpp"

#include "handlers/pipeline/build.hpp"
#include "handlers/pipeline/build_signal.hpp"
#include "handlers/pipeline/follow_up.hpp"
#include "handlers/pipeline/ingest.hpp"
#include "handlers/pipeline/process.hpp"
#include "handlers/pipeline/promote.hpp"
#include "handlers/pipeline/record.hpp"
#include "handlers/pipeline/run_command.hpp"

#include <memory>

namespace millrace::handlers::pipeline {

void add_stages(engine::Registry& registry, const Extensions& extensions, const storage::SessionFactory& sessions,
                storage::pipeline::StoreCounts& counts) {
    registry.add("pipeline.ingest", std::make_unique<Ingest>(extensions, counts));
    registry.add("pipeline.process", std::make_unique<Process>(extensions, counts));
    registry.add("pipeline.build", std::make_unique<Build>(extensions, counts));
    registry.add("pipeline.buildsignal", std::make_unique<BuildSignal>(extensions, counts));
    registry.add("pipeline.record", std::make_unique<Record>(counts));
    registry.add("pipeline.analyze", std::make_unique<Analyze>(counts));
    registry.add("pipeline.bisect", std::make_unique<Bisect>(counts));
    registry.add("pipeline.promote", std::make_unique<Promote>(extensions, counts));
    registry.add("pipeline.tell", std::make_unique<Tell>(counts));
    registry.add("pipeline.calloff", std::make_unique<CallOff>(extensions, counts));
    registry.add("pipeline.run", std::make_unique<RunCommand>(extensions, sessions, counts));
}

}  // namespace millrace::handlers::pipeline
