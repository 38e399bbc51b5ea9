#pragma once
// Users' notification settings over HTTP, for the pages of an application and for the links in mails:
//
//     GET      /api/notify/types                     all event types
//     GET PUT  /api/notify/users/{username}/config   a user's settings; PUT changes what it names, all or nothing
//     GET POST /unsubscribe/{token}                  a page that asks, and the end of one subscription (RFC 8058)
//     GET      /api/openapi.json, /healthz           the description of all this; whether this process answers
//
// Who calls the API is an application, which knows its users: it shows one of a few bearer tokens and may speak of any
// user. An unsubscribe address needs no login: its token is sealed, and names one user and one event type. Looking at
// it changes nothing, because mail filters look at links.
//
// Errors are {"error": {"code", "message", "hint"}}; the code is that of the database (MR…) or a word.
//
// Thread rule: any thread.

#include "core/guarded.hpp"
#include "ops/http_server.hpp"
#include "storage/preferences_store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::ops {

class NotifyApi {
public:
    struct Settings {
        std::vector<std::string> tokens;  // empty: no call of the API is allowed
        // Username and event type of a token; nothing for what we have not sealed.
        std::function<std::optional<std::pair<std::string, std::string>>(std::string_view)> read_token;
    };

    static constexpr std::size_t most_body_bytes = 65'536;

    // The references outlive it.
    NotifyApi(const storage::SessionFactory& sessions, Settings settings, Log& log);

    void adjust(Settings settings);  // from the next request on

    // What the resource at this path is called, one of a few names; empty: whether this process answers.
    [[nodiscard]] static std::string_view name_of(std::string_view path);

    // Uses this object.
    [[nodiscard]] Site site();

private:
    [[nodiscard]] std::optional<Reply> screen(const Request& request) const;
    [[nodiscard]] Reply answer(const Request& request);
    [[nodiscard]] Reply unsubscribe(const Request& request);
    [[nodiscard]] std::shared_ptr<const Settings> settings() const;
    [[nodiscard]] bool is_known(std::string_view token) const;

    // Once more on a fresh connection when one that was idle turns out to be gone: every call may be repeated.
    [[nodiscard]] Reply ask(const Request& request, const std::function<Reply(storage::PreferencesStore&)>& question);
    [[nodiscard]] std::unique_ptr<storage::Session> take_idle();

    const storage::SessionFactory& sessions_;
    core::Guarded<std::shared_ptr<const Settings>> settings_;
    Log& log_;
    core::Guarded<std::vector<std::unique_ptr<storage::Session>>> idle_;
};

}  // namespace millrace::ops
