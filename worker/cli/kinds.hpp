#pragma once
// Every kind of job that this program runs, as it is configured, and what their handlers share.
//
// Thread rule: made before the worker starts, destroyed after it has ended.

#include "adapters/smtp.hpp"
#include "engine/registry.hpp"
#include "handlers/pipeline/extensions.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "options.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::handlers::email {
class Send;
}

namespace millrace::cli {

class Kinds {
public:
    // `installation` makes this database's mails distinguishable from all others: storage::installation_id.
    // A kind that cannot work as configured is unavailable, with the reason.
    Kinds(const Options& options, const std::string& installation, ops::Log& log);

    [[nodiscard]] const engine::Registry& registry() const noexcept { return registry_; }

    // What the handlers count. The counters live as long as this object.
    [[nodiscard]] std::vector<ops::CounterFamily> counted() const;

private:
    void add_notifications(const Options& options, handlers::email::Send& send);  // `send` is in the registry
    void add_pipeline(const Options& options);
    void add_unavailable(const std::string& kind, const std::string& reason, ops::Log& log);

    // Before the registry, whose handlers use them.
    std::unique_ptr<adapters::Smtp> smtp_;
    std::unique_ptr<handlers::pipeline::Extensions> pipeline_;
    engine::Registry registry_;
};

// Why no mail can be sent as configured, naming the setting and the remedy; nothing when it can.
[[nodiscard]] std::optional<std::string> mail_server_problem(const Options& options);

// The queues that a worker may serve as configured: `email` is left out, with an error in the log, while there is no
// mail server, or one that cannot work. Its jobs wait for a worker that has one instead of being put off by this one.
[[nodiscard]] std::vector<engine::QueueSettings> servable_queues(const Options& options, ops::Log& log);

}  // namespace millrace::cli
