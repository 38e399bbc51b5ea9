#include "ops/dashboard.hpp"

#include "core/finally.hpp"
#include "ops/answer_limit.hpp"
#include "ops/dashboard_orders.hpp"
#include "ops/dashboard_style.hpp"
#include "storage/bounded_transaction.hpp"
#include "storage/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <variant>

namespace millrace::ops {
namespace {

using storage::OperatorStore;
using Access = storage::BoundedTransaction::Access;

constexpr std::string_view root = "/dashboard";
constexpr std::string_view queues_path = "/dashboard/queues/";
constexpr std::string_view jobs_path = "/dashboard/jobs/";
constexpr std::string_view form_type = "application/x-www-form-urlencoded";

Reply page(int status, std::string body) {
    return {.status = status,
            .type = "text/html; charset=utf-8",
            .body = std::move(body),
            .headers = {{"Content-Security-Policy",
                         "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
                         "base-uri 'none'"},
                        {"Referrer-Policy", "no-referrer"}}};
}

Reply notice(int status, std::string_view title, std::string_view text, std::string_view remedy,
             const Visitor& visitor) {
    auto reply = page(status, notice_page(title, text, remedy, visitor));
    if (status == 503) reply.headers["Retry-After"] = "5";
    return reply;
}

// What is asked for next is a GET, and to load it again changes nothing.
Reply go_to(const std::string& path) {
    auto reply = page(303, "");
    reply.headers["Location"] = path;
    return reply;
}

// Where a link of the login may lead: a browser reads dots, backslashes and escapes in its own way, and would leave us.
std::string_view way_on(std::string_view path) {
    const bool is_plain = path.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-/") == path.npos;
    return is_plain && path.find("/.") == path.npos ? path : root;
}

enum class Place { page, style, login, logout, act, none };

Place place_of(std::string_view path) {
    if (path == root || path == "/dashboard/workers" || path == "/dashboard/schedules") return Place::page;
    if (path.starts_with(queues_path) || path.starts_with(jobs_path)) return Place::page;
    if (path == "/dashboard/style.css") return Place::style;
    if (path == "/dashboard/login") return Place::login;
    if (path == "/dashboard/logout") return Place::logout;
    return path == "/dashboard/act" ? Place::act : Place::none;
}

std::string_view methods_of(Place place) {
    return place == Place::page || place == Place::style ? "GET, HEAD" : "POST";
}

// Up to the port; an address of IPv6 has colons within brackets.
std::string_view name_in(std::string_view host) {
    return host.substr(0, host.find(':', host.starts_with('[') ? host.find(']') : 0));
}

// A cookie is its host's, whatever the port: two dashboards of one host would end each other's logins.
std::string cookie_name_for(std::string_view host) {
    const auto port = host.substr(std::min(host.size(), name_in(host).size() + 1));
    const bool is_number = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos;
    return is_number ? fmt::format("millrace_session_{}=", port) : "millrace_session=";
}

std::string cookie_of(const Logins::Session& session, std::string_view host, Dashboard::Cookies cookies) {
    return fmt::format("{}{}; Path=/dashboard; HttpOnly; SameSite=Strict; Max-Age={}{}", cookie_name_for(host),
                       session.id, std::chrono::seconds{Logins::life}.count(),
                       cookies == Dashboard::Cookies::over_https ? "; Secure" : "");
}

Reply explained(const storage::Error& error, const Visitor& visitor) {
    if (error.is_passing()) {
        return notice(503, "The database is slow", "It did not answer in time, or somebody else held what this needs.",
                      "Try again.", visitor);
    }
    if (error.sqlstate() == "42501") {
        return notice(403, "That is not for this server", "Its role in the database may not do that.",
                      "For changes it needs millrace_operator, and to look millrace_viewer.", visitor);
    }
    if (error.sqlstate().starts_with("MR"))
        return notice(409, "That cannot be done", error.what(), error.hint(), visitor);
    return notice(500, "That did not work", "The database refused it.", "See this server's log.", visitor);
}

}  // namespace

Dashboard::Dashboard(const storage::SessionFactory& sessions, const Settings& settings, Log& log)
    : sessions_{sessions}, log_{log} {
    adjust(settings);
}

void Dashboard::adjust(const Settings& settings) {
    logins_.set_token(settings.token);
    settings_.with([changed = std::make_shared<const Settings>(settings)](auto& current) { current = changed; });
}

std::shared_ptr<const Dashboard::Settings> Dashboard::settings() const {
    return settings_.with([](const auto& current) { return current; });
}

bool Dashboard::owns(std::string_view path) {
    return path == root || path.starts_with("/dashboard/");
}

Site Dashboard::site() {
    return {.screen = [this](const Request& request) { return screen(request); },
            .answer = [this](const Request& request) { return answer(request); }};
}

bool Dashboard::is_known_host(std::string_view host) const {
    constexpr std::array<std::string_view, 3> own{"localhost", "127.0.0.1", "[::1]"};
    const auto name = name_in(host);
    const auto current = settings();
    return std::find(own.begin(), own.end(), name) != own.end() ||
           std::find(current->hosts.begin(), current->hosts.end(), name) != current->hosts.end();
}

std::optional<Logins::Session> Dashboard::session_of(const Request& request) const {
    const auto its_name = cookie_name_for(request.host);
    std::string_view cookies{request.cookie};
    while (!cookies.empty()) {
        auto cookie = cookies.substr(0, cookies.find(';'));
        cookies.remove_prefix(std::min(cookies.size(), cookie.size() + 1));
        cookie.remove_prefix(std::min(cookie.find_first_not_of(' '), cookie.size()));
        if (!cookie.starts_with(its_name)) continue;
        // Another host of the same domain may have set one of that name, and it may come first.
        if (auto found = logins_.find(cookie.substr(its_name.size()))) return found;
    }
    return std::nullopt;
}

std::optional<Reply> Dashboard::screen(const Request& request) const {
    if (!is_known_host(request.host)) {
        return notice(403, "Not by this name", "The dashboard does not answer to the name that this was sent to.",
                      "Use the address in dashboard.url, or localhost.", {});
    }
    const auto place = place_of(request.path);
    if (place == Place::none) return notice(404, "There is nothing here", "This is no page of the dashboard.", "", {});
    const bool is_get = request.method == "GET" || request.method == "HEAD";
    if (methods_of(place) == "POST" ? request.method != "POST" : !is_get) {
        auto reply = notice(405, "Not like that", "This path is for another method.", "", {});
        reply.headers["Allow"] = methods_of(place);
        return reply;
    }
    if (place == Place::style) return Reply{.type = "text/css; charset=utf-8", .body = std::string{dashboard_style}};
    const bool has_token = !settings()->token.empty();
    if (!is_get && !has_token) {
        return notice(403, "To look at only", "Nothing can be changed here.",
                      "With dashboard.token in this server's settings it can.", {});
    }
    if (!is_get && !request.content_type.starts_with(form_type)) {
        return notice(415, "That is no form", "A form of this dashboard sends another content type.", "", {});
    }
    if (has_token && place != Place::login && !session_of(request)) {
        return page(403, login_page("", is_get ? way_on(request.path) : root));
    }
    return std::nullopt;
}

Reply Dashboard::answer(const Request& request) {
    const auto place = place_of(request.path);
    if (place == Place::login) return log_in(request);
    const auto session = session_of(request);
    const Visitor visitor{session ? session->form_secret : ""};
    if (place == Place::page) return show(request, visitor);
    const auto form = read_form(request.body);
    if (!form || !is_same_secret(visitor.form_secret, field(*form, "form_secret"))) {
        return notice(403, "That form is too old", "Or it was not one of this dashboard. Nothing has been done.",
                      "Load the page again, and press the button there.", visitor);
    }
    if (place == Place::act) return act(*form, visitor);
    logins_.log_out(session->id);
    return go_to(std::string{root});
}

Reply Dashboard::log_in(const Request& request) {
    const auto form = read_form(request.body);
    const auto answered = logins_.log_in(form ? field(*form, "token") : "");
    if (const auto* session = std::get_if<Logins::Session>(&answered)) {
        auto reply = go_to(std::string{root});
        reply.headers["Set-Cookie"] = cookie_of(*session, request.host, settings()->cookies);
        return reply;
    }
    if (std::get<Logins::Refusal>(answered) == Logins::Refusal::wrong) {
        log_.write(Level::warning, "a login to the dashboard was refused");
        return page(403, login_page("That is not the token.", root));
    }
    auto reply = page(429, login_page("Too many wrong tokens. Wait a minute.", root));
    reply.headers["Retry-After"] = std::to_string(std::chrono::seconds{Logins::failures_within}.count());
    return reply;
}

Reply Dashboard::show(const Request& request, const Visitor& visitor) {
    const auto& path = request.path;
    return ask(visitor, [&](storage::Session& session) {
        const storage::BoundedTransaction transaction{session, Access::read_only};
        if (path == root) return show_overview(session, visitor);
        if (path == "/dashboard/workers") {
            return page(200, workers_page(storage::live_view(session, most_workers), visitor));
        }
        if (path == "/dashboard/schedules") {
            return page(200, schedules_page(storage::schedules_at_a_glance(session, most_schedules), visitor));
        }
        return path.starts_with(jobs_path) ? show_job(session, path.substr(jobs_path.size()), visitor)
                                           : show_queue(session, path.substr(queues_path.size()), visitor);
    });
}

Reply Dashboard::show_overview(storage::Session& session, const Visitor& visitor) const {
    OperatorStore store{session};
    Overview overview{.findings = {}, .doctor_problem = {}, .queues = store.queues(), .live = {}};
    overview.live = storage::live_view(session, most_workers);
    try {
        overview.findings =
            store.findings();  // the last: after an error the server answers nothing in this transaction
    } catch (const storage::Error& error) {
        if (!error.is_passing()) throw;
        overview.doctor_problem = "The doctor was not done in time.";
    }
    return page(200, overview_page(overview, visitor));
}

Reply Dashboard::show_queue(storage::Session& session, const std::string& name, const Visitor& visitor) const {
    const auto queues = OperatorStore{session}.queues();
    const auto found =
        std::find_if(queues.begin(), queues.end(), [&](const auto& queue) { return queue.name == name; });
    if (found == queues.end()) return notice(404, "No such queue", "No queue has that name.", "", visitor);
    return page(200, queue_page({.queue = *found,
                                 .dead = storage::dead_letters(session, name, most_dead_letters),
                                 .running = storage::running_jobs(session, name, most_running)},
                                visitor));
}

Reply Dashboard::show_job(storage::Session& session, const std::string& number, const Visitor& visitor) const {
    OperatorStore store{session};
    const auto id = job_number(number);
    const auto found = id ? store.job(*id) : std::nullopt;
    if (!found) {
        return notice(404, "No such job", "It never existed, its enqueue is not committed, or its retention is over.",
                      "", visitor);
    }
    return page(
        200,
        job_page({.job = *found, .causes = store.explain(*id), .shows_payload = settings()->shows_payloads}, visitor));
}

Reply Dashboard::act(const Form& form, const Visitor& visitor) {
    const auto order = dashboard_order(field(form, "action"), field(form, "of"));
    if (!order) return notice(400, "That is no action", "This dashboard has no such form.", "", visitor);
    return ask(visitor, [&](storage::Session& session) {
        storage::BoundedTransaction transaction{session, Access::read_write};
        order->run(session);
        transaction.commit();
        const auto action = field(form, "action");
        const auto of = field(form, "of");
        log_.write(Level::info, "changed from the dashboard", {{"action", action}, {"of", of}});
        return go_to(order->page_afterwards);
    });
}

Reply Dashboard::ask(const Visitor& visitor, const Question& question) {
    const auto unserved = [&](const char* reason) {
        log_.write(Level::error, "the dashboard has no answer", {{"reason", reason}});
    };
    const auto others = asking_.fetch_add(1);
    const core::Finally done{[&] { --asking_; }};
    if (others >= most_asking) {
        return notice(503, "Too many ask at once", "Others wait for the database already.", "Try again.", visitor);
    }
    try {
        const auto session = sessions_.open("dashboard");
        try {
            const AnswerLimit limit{*session};
            return question(*session);
        } catch (const storage::Error& error) {
            if (!error.sqlstate().starts_with("MR")) unserved(error.what());
            return explained(error, visitor);
        }
    } catch (const storage::ConnectionLost& error) {
        unserved(error.what());
        return notice(503, "The database cannot be reached",
                      "If this was a change, it is not known whether it was made.", "Look again in a moment.", visitor);
    }
}

}  // namespace millrace::ops
