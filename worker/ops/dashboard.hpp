#pragma once
// The dashboard of `millrace serve`: what is wrong, queues, jobs, workers and schedules, for a person with a browser.
//
//     GET  /dashboard, /dashboard/queues/NAME, /dashboard/jobs/ID, /dashboard/workers, /dashboard/schedules
//     GET  /dashboard/style.css
//     POST /dashboard/login, /dashboard/logout, /dashboard/act
//
// Without a token whoever reaches it may look, and nobody may change anything. With one, all but the login is for those
// who have shown it (ops/logins.hpp), and they may pause a queue, replay, discard or cancel a job and run a schedule,
// by the functions that the command line calls. A change is a POST that bears its session's form secret, and is
// answered by a redirection. What a browser is asked for under a name that is not ours is refused: a stranger's page
// could let its own name point here (DNS rebinding).
//
// Few requests ask the database at once, whose statements end in time, so that the API beside it is never left without
// a thread.
//
// Thread rule: any thread.

#include "core/guarded.hpp"
#include "ops/dashboard_pages.hpp"
#include "ops/form.hpp"
#include "ops/http_server.hpp"
#include "ops/logins.hpp"
#include "storage/session.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::ops {

class Dashboard {
public:
    enum class Cookies { over_http, over_https };

    struct Settings {
        std::string token;               // empty: to look at only
        std::vector<std::string> hosts;  // by which it is reached, without the port; those of this host are known
        Cookies cookies = Cookies::over_http;
        bool shows_payloads = false;
    };

    static constexpr int most_asking = 3;  // of the server's threads

    // The references outlive it.
    Dashboard(const storage::SessionFactory& sessions, const Settings& settings, Log& log);

    void adjust(const Settings& settings);  // from the next request on

    // Whether this path is one of ours, whoever asks.
    [[nodiscard]] static bool owns(std::string_view path);

    // Uses this object.
    [[nodiscard]] Site site();

private:
    using Question = std::function<Reply(storage::Session&)>;

    [[nodiscard]] std::optional<Reply> screen(const Request& request) const;
    [[nodiscard]] Reply answer(const Request& request);
    [[nodiscard]] Reply show(const Request& request, const Visitor& visitor);
    [[nodiscard]] Reply show_overview(storage::Session& session, const Visitor& visitor) const;
    [[nodiscard]] Reply show_queue(storage::Session& session, const std::string& name, const Visitor& visitor) const;
    [[nodiscard]] Reply show_job(storage::Session& session, const std::string& number, const Visitor& visitor) const;
    [[nodiscard]] Reply log_in(const Request& request);
    [[nodiscard]] Reply act(const Form& form, const Visitor& visitor);
    [[nodiscard]] Reply ask(const Visitor& visitor, const Question& question);

    [[nodiscard]] bool is_known_host(std::string_view host) const;
    [[nodiscard]] std::optional<Logins::Session> session_of(const Request& request) const;
    [[nodiscard]] std::shared_ptr<const Settings> settings() const;

    const storage::SessionFactory& sessions_;
    core::Guarded<std::shared_ptr<const Settings>> settings_;
    Log& log_;
    Logins logins_;
    std::atomic<int> asking_{0};
};

}  // namespace millrace::ops
