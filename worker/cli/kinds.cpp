#include "cli/kinds.hpp"

#include "adapters/unsubscribe_token.hpp"
#include "handlers/builtin/fail.hpp"
#include "handlers/builtin/noop.hpp"
#include "handlers/builtin/wait.hpp"
#include "handlers/email/notify_send.hpp"
#include "handlers/email/send.hpp"
#include "handlers/forks/digest.hpp"
#include "handlers/forks/run.hpp"
#include "handlers/forks/stage.hpp"
#include "handlers/forks/step.hpp"
#include "handlers/forks/sync.hpp"
#include "handlers/pipeline/stages.hpp"
#include "handlers/pipeline/webhook.hpp"

#include <array>
#include <functional>
#include <stdexcept>
#include <string>

namespace millrace::cli {

namespace {

constexpr auto no_smtp = "no mail server is configured: set smtp.url";

constexpr std::array fork_steps{"forks.search", "forks.distribute", "forks.rebase"};

// Why this host cannot work with repositories; nothing when it can.
std::optional<std::string> repository_problem(const Options& options, const adapters::GitSettings& git) {
    if (options.cache_directory.empty()) return "there is no place for copies of repositories: set worker.cache";
    return adapters::git_problem(git);
}

// A user or a type whose names are too long for a token goes without.
UnsubscribeAddress unsubscribe_address(const Options& options) {
    if (options.unsubscribe_url.empty()) return [](const auto&...) { return std::string{}; };
    return [tokens = adapters::UnsubscribeTokens{options.unsubscribe_secrets}, url = options.unsubscribe_url](
               const std::string& username, const std::string& event_type) {
        const auto is_fit = username.size() + event_type.size() <= adapters::UnsubscribeTokens::max_subject;
        return is_fit ? url + "/unsubscribe/" + tokens.sign({username, event_type}) : "";
    };
}

}  // namespace

Kinds::Kinds(const Options& options, const std::string& installation, ops::Log& log)
    : sessions_{storage::SessionFactory{options.database_url}} {
    registry_.add("noop", std::make_unique<handlers::builtin::Noop>());
    registry_.add("wait", std::make_unique<handlers::builtin::Wait>());
    registry_.add("fail", std::make_unique<handlers::builtin::Fail>());
    registry_.add("forks.run", std::make_unique<handlers::forks::Run>());
    registry_.add("forks.stage", std::make_unique<handlers::forks::Stage>());
    registry_.add("forks.digest", std::make_unique<handlers::forks::Digest>());
    if (const auto problem = mail_server_problem(options)) {
        for (const auto* kind : {"email.send", "notify.send", "notify.digest"})
            add_unavailable(kind, *problem, log);
    } else {
        smtp_ = std::make_unique<adapters::Smtp>(*options.smtp);
        handlers::email::Send::Settings settings{.installation = installation,
                                                 .redirect_all = options.notify_redirect_all};
        auto send = std::make_unique<handlers::email::Send>(*smtp_, std::move(settings), log);
        send_ = send.get();
        unsubscribe_address_.with([&](auto& current) { current = unsubscribe_address(options); });
        add_notifications(*send);
        registry_.add("email.send", std::move(send));
    }
    registry_.add("pipeline.webhook",
                  std::make_unique<handlers::pipeline::Webhook>(handlers::pipeline::Secrets{options.pipeline_secrets},
                                                                sessions_, store_counts_));
    const adapters::GitSettings git{.environment = options.program_environment};
    if (const auto problem = repository_problem(options, git)) {
        add_unavailable("forks.sync", *problem, log);
        for (const auto* kind : fork_steps)
            add_unavailable(kind, *problem, log);
        for (const auto* kind : handlers::pipeline::stage_kinds)
            add_unavailable(kind, *problem, log);
    } else {
        add_forks(options, {.cache = options.cache_directory, .git = git}, log);
        add_pipeline(options);
    }
}

void Kinds::add_notifications(handlers::email::Send& send) {
    namespace email = handlers::email;
    const email::NotifySettings settings{.unsubscribe_url = [this](const auto& username, const auto& event_type) {
        const auto address_of = unsubscribe_address_.with([](const auto& current) { return current; });
        return address_of(username, event_type);
    }};
    registry_.add("notify.send", std::make_unique<email::NotifySend>(send, settings, notify_counts_));
    registry_.add("notify.digest", std::make_unique<email::NotifyDigest>(send, settings, notify_counts_, sessions_));
}

void Kinds::add_forks(const Options& options, const handlers::forks::CopySettings& copies, ops::Log& log) {
    namespace forks = handlers::forks;
    const auto problem = options.github ? adapters::github_problem(*options.github) : std::nullopt;
    if (options.github && !problem) github_ = std::make_unique<adapters::Github>(*options.github);
    // Forks may be in any queue: where it serves one of them, their jobs wait for a worker that has the token.
    if (problem) log.write(ops::Level::error, "no token for GitHub", {{"reason", *problem}});
    const auto missing = problem.value_or("");
    registry_.add(
        "forks.sync",
        std::make_unique<forks::Sync>(
            sessions_, forks::Sync::Settings{
                           .git = copies, .github = github_.get(), .token_problem = missing, .counts = &sync_counts_}));
    for (const auto* kind : fork_steps) {
        registry_.add(kind, std::make_unique<forks::Step>(
                                sessions_, forks::Step::Settings{
                                               .git = copies, .github = github_.get(), .token_problem = missing}));
    }
}

void Kinds::add_pipeline(const Options& options) {
    namespace pipeline = handlers::pipeline;
    pipeline_ = std::make_unique<pipeline::Extensions>(
        pipeline::Extensions::Settings{.cache = options.cache_directory + "/pipeline",
                                       .environment = options.program_environment,
                                       .secrets = pipeline::Secrets{options.pipeline_secrets}});
    pipeline::add_stages(registry_, *pipeline_, storage::SessionFactory{options.database_url}, store_counts_);
}

void Kinds::adjust(const Options& options) {
    if (smtp_ == nullptr) return;
    auto address = unsubscribe_address(options);
    if (smtp_->adjust(*options.smtp)) send_->resume();
    unsubscribe_address_.with([&](auto& current) { current.swap(address); });
}

void Kinds::add_unavailable(const std::string& kind, const std::string& reason, ops::Log& log) {
    registry_.add_unavailable(kind, reason);
    log.write(ops::Level::info, "kind not available", {{"kind", kind}, {"reason", reason}});
}

ops::Counted Kinds::counted() const {
    using handlers::forks::SyncCounts;
    ops::CounterFamily branches{.name = "millrace_fork_branches_total",
                                .help = "Branches of forks that were synchronised, by the result.",
                                .label = "result",
                                .counters = {}};
    for (const auto state : SyncCounts::states)
        branches.counters.emplace_back(storage::name_of(state), &sync_counts_.count(state));
    auto counted = counted_mails();
    counted.counters.push_back(std::move(branches));
    counted.stores = &store_counts_;
    return counted;
}

ops::Counted Kinds::counted_mails() const {
    if (smtp_ == nullptr) return {};
    using handlers::email::NotifyCounts;
    ops::CounterFamily deliveries{.name = "millrace_mail_deliveries_total",
                                  .help = "Mails handed to the mail server, by what became of them.",
                                  .label = "verdict",
                                  .counters = {}};
    for (const auto verdict : adapters::verdicts)
        deliveries.counters.emplace_back(std::string{adapters::name_of(verdict)}, &smtp_->count(verdict));
    const auto& counts = notify_counts_;
    ops::CounterFamily sent{.name = "millrace_notifications_sent_total",
                            .help = "Notifications that the mail server has taken.",
                            .label = "",
                            .counters = {{"", &counts.sent()}}};
    ops::CounterFamily skipped{.name = "millrace_notifications_skipped_total",
                               .help = "Notifications of which nothing was to be sent when their turn came, by reason.",
                               .label = "reason",
                               .counters = {}};
    for (std::size_t i = 0; i < NotifyCounts::skips.size(); ++i)
        skipped.counters.emplace_back(std::string{NotifyCounts::skips.at(i)}, &counts.skipped(i));
    ops::CounterFamily failed{.name = "millrace_notifications_failed_total",
                              .help = "Notifications that became dead letters, by reason.",
                              .label = "reason",
                              .counters = {}};
    for (std::size_t i = 0; i < NotifyCounts::failures.size(); ++i)
        failed.counters.emplace_back(std::string{NotifyCounts::failures.at(i)}, &counts.failed(i));
    return {.counters = {std::move(deliveries), std::move(sent), std::move(skipped), std::move(failed)},
            .durations = {{.name = "millrace_notification_seconds",
                           .help = "From emit until the mail server has taken it; without digests.",
                           .durations = &counts.delivery()}}};
}

std::optional<std::string> mail_server_problem(const Options& options) {
    if (!options.smtp) return no_smtp;
    try {
        adapters::check(*options.smtp);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return std::nullopt;
}

std::optional<std::string> queue_problem(const Options& options, const std::string& queue) {
    if (queue == "email") return mail_server_problem(options);
    if (queue == "forks" && options.github) return adapters::github_problem(*options.github);
    return std::nullopt;
}

std::vector<engine::QueueSettings> servable_queues(const Options& options, ops::Log& log) {
    std::vector<engine::QueueSettings> queues;
    for (const auto& queue : options.worker.queues) {
        if (const auto problem = queue_problem(options, queue.name)) {
            log.write(ops::Level::error, "queue not served", {{"queue", queue.name}, {"reason", *problem}});
        } else {
            queues.push_back(queue);
        }
    }
    return queues;
}

}  // namespace millrace::cli
