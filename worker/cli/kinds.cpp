#include "cli/kinds.hpp"

#include "handlers/builtin/fail.hpp"
#include "handlers/builtin/noop.hpp"
#include "handlers/builtin/wait.hpp"
#include "handlers/email/send.hpp"

namespace millrace::cli {

namespace {

constexpr auto no_smtp = "no mail server is configured: set smtp.url";

}  // namespace

Kinds::Kinds(const Options& options, const std::string& installation, ops::Log& log) {
    registry_.add("noop", std::make_unique<handlers::builtin::Noop>());
    registry_.add("wait", std::make_unique<handlers::builtin::Wait>());
    registry_.add("fail", std::make_unique<handlers::builtin::Fail>());
    if (options.smtp) {
        smtp_ = std::make_unique<adapters::Smtp>(*options.smtp);
        handlers::email::Send::Settings settings{.installation = installation};
        registry_.add("email.send", std::make_unique<handlers::email::Send>(*smtp_, std::move(settings), log));
    } else {
        registry_.add_unavailable("email.send", no_smtp);
        log.write(ops::Level::info, "kind not available", {{"kind", "email.send"}, {"reason", no_smtp}});
    }
}

std::vector<engine::QueueSettings> servable_queues(const Options& options, ops::Log& log) {
    std::vector<engine::QueueSettings> queues;
    for (const auto& queue : options.worker.queues) {
        if (queue.name == "email" && !options.smtp) {
            log.write(ops::Level::error, "queue not served", {{"queue", queue.name}, {"reason", no_smtp}});
        } else {
            queues.push_back(queue);
        }
    }
    return queues;
}

}  // namespace millrace::cli
