#include "ops/notify_api.hpp"

#include "core/html.hpp"
#include "ops/answer_limit.hpp"
#include "ops/notify_openapi.hpp"
#include "storage/error.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace::ops {
namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view types_path = "/api/notify/types";
constexpr std::string_view users_path = "/api/notify/users/";
constexpr std::string_view config_end = "/config";
constexpr std::string_view unsubscribe_path = "/unsubscribe/";

enum class Resource { types, config, unsubscribe, description, health, none };

// A username may hold anything, slashes too: it is what stands between the two fixed parts.
Resource resource_of(std::string_view path) {
    if (path == types_path) return Resource::types;
    if (path.starts_with(users_path) && path.ends_with(config_end) &&
        path.size() > users_path.size() + config_end.size()) {
        return Resource::config;
    }
    if (path.starts_with(unsubscribe_path)) return Resource::unsubscribe;
    if (path == "/api/openapi.json") return Resource::description;
    return path == "/healthz" ? Resource::health : Resource::none;
}

std::string username_in(const std::string& path) {
    return path.substr(users_path.size(), path.size() - users_path.size() - config_end.size());
}

std::string_view methods_of(Resource resource) {
    switch (resource) {
        case Resource::config:
            return "GET, HEAD, PUT";
        case Resource::unsubscribe:
            return "GET, HEAD, POST";
        default:
            return "GET, HEAD";
    }
}

bool allows(Resource resource, std::string_view method) {
    const auto listed = fmt::format(", {},", methods_of(resource));
    return listed.find(fmt::format(" {},", method)) != std::string::npos;
}

Reply refusal(int status, const std::string& code, const std::string& message, const std::string& hint) {
    const nlohmann::json body{{"error", {{"code", code}, {"message", message}, {"hint", hint}}}};
    Reply reply{.status = status, .type = std::string{json_type}, .body = {}};
    reply.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    if (status == 401) reply.headers["WWW-Authenticate"] = "Bearer";
    if (status == 503) reply.headers["Retry-After"] = "5";
    return reply;
}

Reply json_reply(const std::string& body) {
    return {.type = std::string{json_type}, .body = body + "\n"};
}

Reply page(int status, std::string_view title, std::string_view content) {
    return {.status = status,
            .type = "text/html; charset=utf-8",
            .body = fmt::format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                                "<meta name=\"viewport\" content=\"width=device-width\"><title>{0}</title></head>\n"
                                "<body><h1>{0}</h1>\n{1}</body></html>\n",
                                title, content),
            .headers = {{"Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'"},
                        {"Referrer-Policy", "no-referrer"}}};
}

// What the caller got wrong, as the database says it.
bool is_of_the_caller(const storage::Error& error) {
    return error.sqlstate().starts_with("MR") || error.sqlstate().starts_with("22");
}

}  // namespace

NotifyApi::NotifyApi(const storage::SessionFactory& sessions, Settings settings, Log& log)
    : sessions_{sessions}, settings_{std::make_shared<const Settings>(std::move(settings))}, log_{log} {}

std::string_view NotifyApi::name_of(std::string_view path) {
    switch (resource_of(path)) {
        case Resource::types:
            return "types";
        case Resource::config:
            return "config";
        case Resource::unsubscribe:
            return "unsubscribe";
        case Resource::description:
            return "description";
        case Resource::health:
            return {};
        case Resource::none:
            return "none";
    }
    __builtin_unreachable();
}

void NotifyApi::adjust(Settings settings) {
    settings_.with(
        [changed = std::make_shared<const Settings>(std::move(settings))](auto& current) { current = changed; });
}

std::shared_ptr<const NotifyApi::Settings> NotifyApi::settings() const {
    return settings_.with([](const auto& current) { return current; });
}

Site NotifyApi::site() {
    return {.screen = [this](const Request& request) { return screen(request); },
            .answer = [this](const Request& request) { return answer(request); },
            .most_body_bytes = most_body_bytes};
}

bool NotifyApi::is_known(std::string_view token) const {
    const auto current = settings();
    return std::count_if(current->tokens.begin(), current->tokens.end(), [&](const std::string& known) {
               // takes the same time wherever they differ
               return known.size() == token.size() && CRYPTO_memcmp(known.data(), token.data(), token.size()) == 0;
           }) > 0;
}

std::optional<Reply> NotifyApi::screen(const Request& request) const {
    const auto resource = resource_of(request.path);
    if (resource == Resource::none) {
        return refusal(404, "not_found", "there is nothing at this path", "GET /api/openapi.json lists what there is.");
    }
    if (!allows(resource, request.method)) {
        auto reply = refusal(405, "method_not_allowed", fmt::format("{} is not for this path", request.method),
                             fmt::format("Allowed: {}.", methods_of(resource)));
        reply.headers["Allow"] = methods_of(resource);
        return reply;
    }
    if (resource == Resource::description) return json_reply(std::string{notify_openapi});
    if (resource == Resource::health) return Reply{.body = "ok\n"};
    if (resource == Resource::unsubscribe) return std::nullopt;
    if (!is_known(request.bearer)) {
        return refusal(401, "unauthorized", "no known token",
                       "Send the header Authorization: Bearer TOKEN, with one of api.tokens.");
    }
    if (request.method == "PUT" && !request.content_type.starts_with(json_type)) {
        return refusal(415, "unsupported_media_type", "the body is not said to be JSON",
                       "Send Content-Type: application/json.");
    }
    return std::nullopt;
}

Reply NotifyApi::answer(const Request& request) {
    const auto resource = resource_of(request.path);
    if (resource == Resource::unsubscribe) return unsubscribe(request);
    if (resource == Resource::types) {
        return ask(request, [](storage::PreferencesStore& store) {
            return json_reply(fmt::format(R"({{"types": {}}})", store.types()));
        });
    }
    const auto username = username_in(request.path);
    if (username.find('\0') != std::string::npos) {
        return refusal(400, "MR005", "bad username", "Allowed for username: no control character.");
    }
    if (request.method != "PUT") {
        return ask(request, [&](storage::PreferencesStore& store) { return json_reply(store.config(username)); });
    }
    if (!nlohmann::json::accept(request.body)) {
        return refusal(400, "bad_json", "the body is not JSON", R"(Send an object: {"delivery_mode": "digest"}.)");
    }
    return ask(request,
               [&](storage::PreferencesStore& store) { return json_reply(store.configure(username, request.body)); });
}

Reply NotifyApi::unsubscribe(const Request& request) {
    const auto subscription = settings()->read_token(std::string_view{request.path}.substr(unsubscribe_path.size()));
    if (!subscription) {
        return page(404, "This address is not known",
                    "<p>It may have been cut on its way. Copy the whole of it from the mail.</p>\n");
    }
    const auto& username = subscription->first;
    const auto& type = subscription->second;
    const auto what =
        fmt::format("mails to <b>{}</b> about <b>{}</b>", core::html_escaped(username), core::html_escaped(type));
    if (request.method != "POST") {
        return page(200, "Unsubscribe?",
                    fmt::format("<p>This ends {}.</p>\n"
                                "<form method=\"post\"><button>Unsubscribe</button></form>\n",
                                what));
    }
    auto reply = ask(request, [&](storage::PreferencesStore& store) {
        store.unsubscribe(username, type);
        return page(200, "Unsubscribed", fmt::format("<p>There will be no more {}.</p>\n", what));
    });
    if (reply.status == 200) return reply;
    auto told = page(reply.status, "That did not work",
                     reply.status == 400 ? "<p>These mails cannot be switched off, or are not sent any more.</p>\n"
                                         : "<p>Please try again in a minute.</p>\n");
    told.headers.merge(reply.headers);
    return told;
}

std::unique_ptr<storage::Session> NotifyApi::take_idle() {
    return idle_.with([](auto& idle) {
        std::unique_ptr<storage::Session> taken;
        if (!idle.empty()) {
            taken = std::move(idle.back());
            idle.pop_back();
        }
        return taken;
    });
}

Reply NotifyApi::ask(const Request& request, const std::function<Reply(storage::PreferencesStore&)>& question) {
    // No path in the log: that of a mail's link would let its reader unsubscribe somebody.
    const auto unserved = [&](const char* reason) {
        log_.write(Level::error, "no answer to a request", {{"method", request.method}, {"reason", reason}});
    };
    auto session = take_idle();
    const auto was_idle = session != nullptr;
    try {
        if (!session) session = sessions_.open("api");
        storage::PreferencesStore store{*session};
        std::optional<Reply> reply;
        try {
            const AnswerLimit limit{*session};
            reply = question(store);
        } catch (const storage::Error& error) {
            if (is_of_the_caller(error)) {
                reply = refusal(400, error.sqlstate(), error.what(), error.hint());
            } else {
                unserved(error.what());
                reply = error.is_passing() ? refusal(503, "unavailable", "the database is busy", "Try again.")
                                           : refusal(500, "failed", "the database refused it", "See the server's log.");
            }
        }
        idle_.with([&](auto& idle) { idle.push_back(std::move(session)); });
        return *reply;
    } catch (const storage::ConnectionLost& error) {
        if (was_idle) {
            idle_.with([](auto& idle) { idle.clear(); });  // as old as this one
            return ask(request, question);
        }
        unserved(error.what());
        return refusal(503, "unavailable", "the database cannot be reached", "Try again.");
    }
}

}  // namespace millrace::ops
