// millrace: PostgreSQL tables as job queues. Puts the commands together; `cli/` has one file pair for each.

#include "cli/adopt.hpp"
#include "cli/completion.hpp"
#include "cli/doctor.hpp"
#include "cli/enqueue.hpp"
#include "cli/forks.hpp"
#include "cli/jobs.hpp"
#include "cli/kind_settings.hpp"
#include "cli/migrate.hpp"
#include "cli/notify.hpp"
#include "cli/pipeline.hpp"
#include "cli/program.hpp"
#include "cli/queues.hpp"
#include "cli/schedules.hpp"
#include "cli/schemas.hpp"
#include "cli/serve.hpp"
#include "cli/top.hpp"
#include "cli/worker.hpp"
#include "options.hpp"

#include <array>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    using namespace millrace;

    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    const std::array commands{
        cli::migrate_command(), cli::worker_command(), cli::enqueue_command(),  cli::jobs_command(),
        cli::queues_command(),  cli::kinds_command(),  cli::top_command(),      cli::schedules_command(),
        cli::schemas_command(), cli::forks_command(),  cli::pipeline_command(), cli::notify_command(),
        cli::serve_command(),   cli::doctor_command(), cli::adopt_command(),    cli::completion_command(),
    };
    return static_cast<int>(cli::run_program(words, process_environment(), commands));
}
