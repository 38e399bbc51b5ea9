// A worker like `millrace worker`, with the handlers of a chaos run instead of the built-in ones.
//
//     chaos_worker SIDE_LOG_CONNINFO --name NAME --queue work=SLOTS [worker's other flags]

#include "engine/worker.hpp"
#include "chaos/handlers.hpp"
#include "cli/signals.hpp"
#include "options.hpp"
#include "support/until_signal.hpp"

#include <cstdlib>
#include <exception>

namespace {

using namespace millrace;

int run(const Options& options, const std::string& side_log) {
    cli::Signals signals;
    ops::Log log{ops::Log::Format::json, stderr, ops::Level::debug};
    const storage::SessionFactory sessions{options.database_url};
    chaos::SideLog lines{side_log, options.worker.name};
    engine::Registry registry;
    chaos::add_handlers(registry, lines);
    engine::Worker worker{sessions, registry, options.worker, log};
    return testing::work_until_signal(worker, signals, log);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    std::vector<std::string> words{"worker"};
    words.insert(words.end(), argv + 2, argv + argc);
    return run(read_options(words, process_environment()), argv[1]);
}
