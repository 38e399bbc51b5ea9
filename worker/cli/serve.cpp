#include "cli/serve.hpp"

#include "adapters/unsubscribe_token.hpp"
#include "cli/reload.hpp"
#include "cli/signals.hpp"
#include "ops/dashboard.hpp"
#include "ops/notify_api.hpp"
#include "ops/supervisor.hpp"
#include "ops/watched_site.hpp"
#include "storage/migrator.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace millrace::cli {

namespace {

constexpr std::array flags{
    Flag{"config", "FILE", "settings to begin with; see config/millrace.conf"},
};

void check(const Options& options) {
    if (!options.http) throw UsageError{"nowhere to serve: --http-listen ADDRESS:PORT, or http.listen in the file"};
    if (options.api_tokens.empty() && options.unsubscribe_secrets.empty() && !options.dashboard.is_served) {
        throw UsageError{
            "nothing to serve: set MILLRACE_API_TOKENS for the API, MILLRACE_UNSUBSCRIBE_SECRETS for the links in "
            "mails, --dashboard-serve on for the dashboard"};
    }
}

ops::NotifyApi::Settings settings_of(const Options& options) {
    std::optional<adapters::UnsubscribeTokens> tokens;
    if (!options.unsubscribe_secrets.empty()) tokens.emplace(options.unsubscribe_secrets);
    return {.tokens = options.api_tokens,
            .read_token = [tokens](std::string_view token) -> std::optional<std::pair<std::string, std::string>> {
                const auto subscription = tokens ? tokens->read(token) : std::nullopt;
                if (!subscription) return std::nullopt;
                return std::pair{subscription->username, subscription->event_type};
            }};
}

ops::Dashboard::Settings dashboard_settings_of(const Options& options) {
    using Cookies = ops::Dashboard::Cookies;
    constexpr std::string_view scheme = "https://";
    ops::Dashboard::Settings settings{.token = options.dashboard.token, .hosts = {}, .cookies = Cookies::over_http};
    settings.shows_payloads = options.dashboard.shows_payloads;
    if (options.http) {
        const auto& host = options.http->host;
        settings.hosts.push_back(host.find(':') == std::string::npos ? host : "[" + host + "]");
    }
    if (const auto& url = options.dashboard.url; !url.empty()) {
        const auto host = url.substr(scheme.size());
        settings.hosts.push_back(host.substr(0, host.find(':')));
        settings.cookies = Cookies::over_https;
    }
    return settings;
}

// The dashboard's paths are its own, the rest is the API's.
ops::Site site_of(ops::Site api, ops::Site dashboard) {
    const auto both = std::make_shared<const std::pair<ops::Site, ops::Site>>(std::move(api), std::move(dashboard));
    const auto site_for = [both](const ops::Request& request) -> const ops::Site& {
        return ops::Dashboard::owns(request.path) ? both->second : both->first;
    };
    return {.screen = [site_for](const auto& request) { return site_for(request).screen(request); },
            .answer = [site_for](const auto& request) { return site_for(request).answer(request); },
            .most_body_bytes = std::max(both->first.most_body_bytes, both->second.most_body_bytes)};
}

// Others come through a proxy, whose name dashboard.url is.
bool is_for_this_machine_only(const Options& options) {
    const auto& host = options.http->host;
    return options.dashboard.url.empty() && (host == "localhost" || host == "::1" || host.starts_with("127."));
}

void tell_of_strangers(const Options& options, ops::Log& log) {
    if (!options.dashboard.is_served || !options.dashboard.token.empty() || is_for_this_machine_only(options)) return;
    log.write(ops::Level::warning, "the dashboard asks nobody for a token", {{"address", options.http->text()}});
}

// For the counts of requests.
std::string_view name_of(std::string_view path) {
    return ops::Dashboard::owns(path) ? "dashboard" : ops::NotifyApi::name_of(path);
}

Exit run(const Invocation& invocation) {
    const auto& options = invocation.options;
    if (!invocation.arguments.words().empty()) throw UsageError{"serve takes no words"};
    check(options);
    const bool is_watched = isatty(STDERR_FILENO) == 1;
    ops::Log log{options.log_format.value_or(is_watched ? ops::Log::Format::human : ops::Log::Format::json), stderr,
                 options.log_level};
    const storage::SessionFactory sessions{options.database_url};
    storage::verify_schema(*sessions.open("check"));

    Signals signals;
    ops::NotifyApi api{sessions, settings_of(options), log};
    ops::Dashboard dashboard{sessions, dashboard_settings_of(options), log};
    const bool has_dashboard = options.dashboard.is_served;
    ops::WatchedSite watched{sessions, MILLRACE_VERSION,
                             has_dashboard ? site_of(api.site(), dashboard.site()) : api.site(),
                             has_dashboard ? name_of : ops::NotifyApi::name_of, log};
    const ops::HttpServer server{*options.http, watched.site(), log};
    log.write(ops::Level::info, "http listening",
              {{"address", ops::Address{options.http->host, server.port()}.text()}});
    ops::Supervisor supervisor{options.supervision, log};
    Reload reload{invocation, Reader::serve, log, check};
    const Reload::Use use{reload, [&](const Options& now) {
                              api.adjust(settings_of(now));
                              dashboard.adjust(dashboard_settings_of(now));
                              tell_of_strangers(now, log);
                          }};
    // A database that is away or slow is no reason to end it: it is alive while it takes requests.
    const ops::Watching watching{supervisor, [&] { return ops::Watching::State{true, server.is_serving()}; }};
    std::ignore = reload.wait_for_end(signals, supervisor);
    supervisor.tell_stopping();
    return Exit::done;
}

}  // namespace

Command serve_command() {
    return {
        .name = "serve",
        .summary = "the dashboard, users' notification settings over HTTP, and the unsubscribe page",
        .usage = "millrace serve --http-listen ADDRESS:PORT [--config FILE] [settings]",
        .details =
            "The API is for applications, which show one of api.tokens; GET /api/openapi.json describes it. The links\n"
            "in mails need no login: they are sealed with unsubscribe.secrets. The dashboard is for people on call:\n"
            "--dashboard-serve on, and with dashboard.token they may change things. TLS is a proxy's matter; let it "
            "pass\n"
            "/api/, /unsubscribe/ and /dashboard only: /healthz, /readyz and /metrics are for those who watch this "
            "process.\n"
            "SIGTERM or SIGINT answers what has been asked, and ends. SIGHUP reads the settings again:\n"
            "docs/operations.md says which can change.",
        .flags = flags,
        .run = run};
}

}  // namespace millrace::cli
