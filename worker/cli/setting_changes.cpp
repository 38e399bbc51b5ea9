#include "cli/setting_changes.hpp"

#include "cli/kinds.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace millrace::cli {

namespace {

using adapters::GithubSettings;
using adapters::SmtpSettings;
using engine::WorkerSettings;

struct Row {
    std::string_view key;
    std::string_view extent;  // see Reloadable; empty for a key's second row
    bool (*is_same)(const Options&, const Options&);
    void (*take)(Options& now, const Options& next);  // null: needs a restart
};

template <auto member>
bool same(const Options& a, const Options& b) {
    return a.*member == b.*member;
}

template <auto member>
void take(Options& now, const Options& next) {
    now.*member = next.*member;
}

template <auto member>
bool same_worker(const Options& a, const Options& b) {
    return a.worker.*member == b.worker.*member;
}

// Whether there is a mail server at all is the business of smtp.url.
template <auto member>
bool same_mail(const Options& a, const Options& b) {
    return !a.smtp || !b.smtp || (*a.smtp).*member == (*b.smtp).*member;
}

template <auto member>
void take_mail(Options& now, const Options& next) {
    (*now.smtp).*member = (*next.smtp).*member;
}

template <auto member>
bool same_github(const Options& a, const Options& b) {
    return a.github.value_or(GithubSettings{}).*member == b.github.value_or(GithubSettings{}).*member;
}

template <auto member>
bool same_dashboard(const Options& a, const Options& b) {
    return a.dashboard.*member == b.dashboard.*member;
}

template <auto member>
void take_dashboard(Options& now, const Options& next) {
    now.dashboard.*member = next.dashboard.*member;
}

bool same_server(const Options& a, const Options& b) {
    return a.smtp.has_value() == b.smtp.has_value() && same_mail<&SmtpSettings::host>(a, b) &&
           same_mail<&SmtpSettings::port>(a, b);
}

void take_server(Options& now, const Options& next) {
    take_mail<&SmtpSettings::host>(now, next);
    take_mail<&SmtpSettings::port>(now, next);
}

bool same_address(const Options& a, const Options& b) {
    return a.http.has_value() == b.http.has_value() && (!a.http || a.http->text() == b.http->text());
}

bool never_differs(const Options& /*a*/, const Options& /*b*/) {
    return true;
}

const engine::QueueSettings* find_queue(const Options& options, const std::string& name) {
    const auto& queues = options.worker.queues;
    const auto found =
        std::find_if(queues.begin(), queues.end(), [&](const auto& queue) { return queue.name == name; });
    return found == queues.end() ? nullptr : &*found;
}

bool same_queues(const Options& a, const Options& b) {
    const auto& queues = a.worker.queues;
    return queues.size() == b.worker.queues.size() &&
           std::all_of(queues.begin(), queues.end(), [&](const auto& queue) { return find_queue(b, queue.name); });
}

bool same_slots(const Options& a, const Options& b) {
    return std::all_of(a.worker.queues.begin(), a.worker.queues.end(), [&](const auto& queue) {
        const auto* other = find_queue(b, queue.name);
        return other == nullptr || other->slots == queue.slots;
    });
}

void take_slots(Options& now, const Options& next) {
    for (auto& queue : now.worker.queues)
        if (const auto* other = find_queue(next, queue.name)) queue.slots = other->slots;
}

// It is one for all queues.
bool same_prefetch(const Options& a, const Options& b) {
    const auto& queues = a.worker.queues;
    const auto& others = b.worker.queues;
    return queues.empty() || others.empty() || queues.front().max_prefetch == others.front().max_prefetch;
}

void take_prefetch(Options& now, const Options& next) {
    for (auto& queue : now.worker.queues)
        queue.max_prefetch = next.worker.queues.front().max_prefetch;
}

void take_drain_timeout(Options& now, const Options& next) {
    now.worker.drain_timeout = next.worker.drain_timeout;
}

// In the order of config/millrace.conf.
constexpr std::array rows{
    Row{"database.url", "no", same<&Options::database_url>, nullptr},
    Row{"database.listen_url", "no", same_worker<&WorkerSettings::listen_url>, nullptr},
    Row{"worker.database", "no", same<&Options::databases>, nullptr},
    Row{"worker.queue", "slots", same_slots, take_slots},
    Row{"worker.queue", "", same_queues, nullptr},
    Row{"worker.name", "no", same_worker<&WorkerSettings::name>, nullptr},
    Row{"worker.prefetch", "yes", same_prefetch, take_prefetch},
    Row{"worker.lease", "no", same_worker<&WorkerSettings::lease>, nullptr},
    Row{"worker.poll_interval", "no", same_worker<&WorkerSettings::poll_interval>, nullptr},
    Row{"worker.drain_timeout", "yes", same_worker<&WorkerSettings::drain_timeout>, take_drain_timeout},
    Row{"worker.stop_grace", "no", same_worker<&WorkerSettings::stop_grace>, nullptr},
    Row{"worker.listen", "no", same_worker<&WorkerSettings::listening>, nullptr},
    Row{"worker.cache", "no", same<&Options::cache_directory>, nullptr},
    Row{"http.listen", "no", same_address, nullptr},
    Row{"log.format", "no", same<&Options::log_format>, nullptr},
    Row{"log.level", "yes", same<&Options::log_level>, take<&Options::log_level>},
    Row{"trace.endpoint", "no", same<&Options::trace_endpoint>, nullptr},
    Row{"trace.header", "no", same<&Options::trace_header>, nullptr},
    Row{"trace.ca_file", "no", same<&Options::trace_ca_file>, nullptr},
    Row{"smtp.url", "yes", same_server, take_server},
    Row{"smtp.security", "yes", same_mail<&SmtpSettings::security>, take_mail<&SmtpSettings::security>},
    Row{"smtp.username", "yes", same_mail<&SmtpSettings::username>, take_mail<&SmtpSettings::username>},
    Row{"smtp.password", "yes", same_mail<&SmtpSettings::password>, take_mail<&SmtpSettings::password>},
    Row{"smtp.password_file", "yes", never_differs, nullptr},  // what is in it is smtp.password
    Row{"smtp.auth", "yes", same_mail<&SmtpSettings::auth>, take_mail<&SmtpSettings::auth>},
    Row{"smtp.token", "no", same_mail<&SmtpSettings::token>, nullptr},
    Row{"smtp.token_file", "yes", same_mail<&SmtpSettings::token_file>, take_mail<&SmtpSettings::token_file>},
    Row{"smtp.ca_file", "yes", same_mail<&SmtpSettings::ca_file>, take_mail<&SmtpSettings::ca_file>},
    Row{"smtp.from", "no", same_mail<&SmtpSettings::from>, nullptr},
    Row{"smtp.helo", "yes", same_mail<&SmtpSettings::helo>, take_mail<&SmtpSettings::helo>},
    Row{"smtp.connect_timeout", "yes", same_mail<&SmtpSettings::connect_timeout>,
        take_mail<&SmtpSettings::connect_timeout>},
    Row{"smtp.total_timeout", "yes", same_mail<&SmtpSettings::total_timeout>, take_mail<&SmtpSettings::total_timeout>},
    Row{"smtp.reply_timeout", "yes", same_mail<&SmtpSettings::reply_timeout>, take_mail<&SmtpSettings::reply_timeout>},
    Row{"notify.redirect_all", "no", same<&Options::notify_redirect_all>, nullptr},
    Row{"api.tokens", "yes", same<&Options::api_tokens>, take<&Options::api_tokens>},
    Row{"dashboard.serve", "no", same_dashboard<&DashboardOptions::is_served>, nullptr},
    Row{"dashboard.url", "yes", same_dashboard<&DashboardOptions::url>, take_dashboard<&DashboardOptions::url>},
    Row{"dashboard.token", "yes", same_dashboard<&DashboardOptions::token>, take_dashboard<&DashboardOptions::token>},
    Row{"dashboard.token_file", "yes", never_differs, nullptr},  // what is in it is dashboard.token
    Row{"dashboard.payloads", "yes", same_dashboard<&DashboardOptions::shows_payloads>,
        take_dashboard<&DashboardOptions::shows_payloads>},
    Row{"unsubscribe.url", "yes", same<&Options::unsubscribe_url>, take<&Options::unsubscribe_url>},
    Row{"unsubscribe.secrets", "yes", same<&Options::unsubscribe_secrets>, take<&Options::unsubscribe_secrets>},
    Row{"github.token_variable", "no", same_github<&GithubSettings::token_variable>, nullptr},
    Row{"github.api_url", "no", same_github<&GithubSettings::api_url>, nullptr},
    Row{"github.ca_file", "no", same_github<&GithubSettings::ca_file>, nullptr},
};

bool concerns(Reader reader, std::string_view key) {
    if (reader == Reader::worker) return !key.starts_with("api.") && !key.starts_with("dashboard.");
    constexpr std::array<std::string_view, 6> sections{"database.url", "http.",      "log.",
                                                       "api.",         "dashboard.", "unsubscribe."};
    return std::any_of(sections.begin(), sections.end(), [&](auto section) { return key.starts_with(section); });
}

}  // namespace

Changes take_over(Options& now, const Options& next, Reader reader) {
    // Handlers of mail are made at the start, or not at all.
    const bool mail_can_change = next.smtp && !mail_server_problem(now);
    Changes changes;
    for (const auto& row : rows) {
        if (!concerns(reader, row.key) || row.is_same(now, next)) continue;
        if (row.take == nullptr || (row.key.starts_with("smtp.") && !mail_can_change)) {
            changes.kept.emplace_back(row.key);
        } else {
            row.take(now, next);
            changes.taken.emplace_back(row.key);
        }
    }
    return changes;
}

std::vector<Reloadable> reloadable_settings() {
    std::vector<Reloadable> settings;
    for (const auto& row : rows)
        if (!row.extent.empty()) settings.push_back({row.key, row.extent});
    return settings;
}

}  // namespace millrace::cli
