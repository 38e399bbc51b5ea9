#pragma once
// Every kind of job that this program runs, as it is configured, and what their handlers share.
//
// Thread rule: made before the worker starts, destroyed after it has ended; `adjust` by any thread.

#include "adapters/github.hpp"
#include "adapters/smtp.hpp"
#include "core/guarded.hpp"
#include "engine/registry.hpp"
#include "handlers/email/notify_counts.hpp"
#include "handlers/forks/fork_copy.hpp"
#include "handlers/forks/sync_counts.hpp"
#include "handlers/pipeline/extensions.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "options.hpp"
#include "storage/pipeline_counts.hpp"
#include "storage/session_pool.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::handlers::email {
class Send;
}

namespace millrace::cli {

// Of a user and an event type; empty when there is none.
using UnsubscribeAddress = std::function<std::string(const std::string& username, const std::string& event_type)>;

class Kinds {
public:
    // `installation` makes this database's mails distinguishable from all others: storage::installation_id.
    // A kind that cannot work as configured is unavailable, with the reason.
    Kinds(const Options& options, const std::string& installation, ops::Log& log);

    [[nodiscard]] const engine::Registry& registry() const noexcept { return registry_; }

    // Takes over what handlers can change while they work: the mail server, if there is one, and unsubscribe addresses.
    // Throws std::invalid_argument when no mail could be sent any more; then nothing has changed.
    void adjust(const Options& options);

    // What the handlers count. The counters live as long as this object.
    [[nodiscard]] ops::Counted counted() const;

private:
    void add_notifications(handlers::email::Send& send);  // `send` is in the registry
    void add_forks(const Options& options, const handlers::forks::CopySettings& copies, ops::Log& log);
    void add_pipeline(const Options& options);
    [[nodiscard]] ops::Counted counted_mails() const;
    void add_unavailable(const std::string& kind, const std::string& reason, ops::Log& log);

    // Before the registry, whose handlers use them.
    storage::SessionPool sessions_;
    std::unique_ptr<adapters::Smtp> smtp_;
    handlers::email::Send* send_ = nullptr;  // in the registry; nothing without smtp_
    core::Guarded<UnsubscribeAddress> unsubscribe_address_;
    std::unique_ptr<adapters::Github> github_;
    handlers::email::NotifyCounts notify_counts_;
    handlers::forks::SyncCounts sync_counts_;
    storage::pipeline::StoreCounts store_counts_;
    std::unique_ptr<handlers::pipeline::Extensions> pipeline_;
    engine::Registry registry_;
};

// Why no mail can be sent as configured, naming the setting and the remedy; nothing when it can.
[[nodiscard]] std::optional<std::string> mail_server_problem(const Options& options);

// Why a worker may not serve a queue as configured: `email` without a mail server, or with one that cannot work;
// `forks` when the variable that is to hold GitHub's token has none. Nothing when it may.
[[nodiscard]] std::optional<std::string> queue_problem(const Options& options, const std::string& queue);

// The queues that a worker may serve; the others are left out, with an error in the log. Their jobs wait for a worker
// that can run them instead of being put off by this one.
[[nodiscard]] std::vector<engine::QueueSettings> servable_queues(const Options& options, ops::Log& log);

}  // namespace millrace::cli
