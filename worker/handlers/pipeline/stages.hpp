#pragma once
// All stages of the pipeline that need a repository, by the kinds of their jobs; pipeline.webhook needs none.

#include "engine/registry.hpp"
#include "handlers/pipeline/extensions.hpp"
#include "storage/pipeline_counts.hpp"
#include "storage/session.hpp"

#include <array>

namespace millrace::handlers::pipeline {

inline constexpr std::array stage_kinds{"pipeline.ingest",      "pipeline.process", "pipeline.build",
                                        "pipeline.buildsignal", "pipeline.record",  "pipeline.analyze",
                                        "pipeline.bisect",      "pipeline.promote", "pipeline.tell",
                                        "pipeline.calloff",     "pipeline.run"};

// The extensions and the counts outlive the registry.
void add_stages(engine::Registry& registry, const Extensions& extensions, const storage::SessionFactory& sessions,
                storage::pipeline::StoreCounts& counts);

}  // namespace millrace::handlers::pipeline
