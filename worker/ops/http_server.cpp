#include "ops/http_server.hpp"

#include "ops/http_connection.hpp"

#include <fcntl.h>
#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::ops {
namespace {

constexpr std::size_t threads = 8;
constexpr std::size_t most_waiting = 16;  // connections accepted and not served yet
// A body may be left unread, so that what follows a request is not known to be another; and a thread that waits for a
// client's next request would be missed by others.
constexpr bool closes_after_it = true;
constexpr std::size_t most_head_bytes = std::size_t{16} * 1024;

// The library's own pool queues without bound, and each entry is an open file: enough of them, and this process could
// not even reconnect to its database.
class BoundedPool : public httplib::TaskQueue {
public:
    BoundedPool() {
        for (std::size_t i = 0; i < threads; ++i)
            threads_.emplace_back([this] { work(); });
    }

    // Blocks the thread that accepts, while too many wait.
    void enqueue(std::function<void()> task) override {
        std::unique_lock lock{mutex_};
        room_.wait(lock, [&] { return tasks_.size() < most_waiting; });
        tasks_.push_back(std::move(task));
        arrived_.notify_one();
    }

    void shutdown() override {
        {
            const std::lock_guard lock{mutex_};
            ended_ = true;
            arrived_.notify_all();
        }
        threads_.clear();
    }

private:
    void work() {
        std::unique_lock lock{mutex_};
        while (true) {
            arrived_.wait(lock, [&] { return ended_ || !tasks_.empty(); });
            if (tasks_.empty()) return;
            const auto task = std::move(tasks_.front());
            tasks_.pop_front();
            room_.notify_one();
            lock.unlock();
            task();
            lock.lock();
        }
    }

    std::mutex mutex_;  // protects tasks_, ended_
    std::condition_variable arrived_;
    std::condition_variable room_;
    std::deque<std::function<void()>> tasks_;
    bool ended_ = false;
    std::vector<std::jthread> threads_;  // last: they use the others
};

}  // namespace

// With a name outside of this file: it is a member of a class that has one.
class BoundedServer : public httplib::Server {
public:
    explicit BoundedServer(std::size_t most_body_bytes) : most_bytes_{most_head_bytes + most_body_bytes} {
        set_payload_max_length(most_body_bytes);
    }

    // What has been asked is still answered.
    void end() {
        ending_ = true;
        stop();
    }

private:
    bool process_and_close_socket(socket_t socket) override {
        constexpr std::string_view too_large{
            "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"};
        HttpConnection connection{socket, most_bytes_, ending_};
        bool is_closed = false;
        const bool done = process_request(connection, closes_after_it, is_closed, nullptr);
        if (connection.has_brought_too_much() && !connection.is_answered()) {
            connection.write(too_large.data(), too_large.size());
        }
        return done;
    }

    const std::size_t most_bytes_;
    std::atomic<bool> ending_{false};
};

namespace {

Request request_of(const httplib::Request& request) {
    constexpr std::string_view scheme = "Bearer ";
    auto authorization = request.get_header_value("Authorization");
    if (!authorization.starts_with(scheme)) authorization.clear();
    return {.method = request.method,
            .path = request.path,
            .bearer = authorization.empty() ? "" : authorization.substr(scheme.size()),
            .host = request.get_header_value("Host"),
            .cookie = request.get_header_value("Cookie"),
            .content_type = request.get_header_value("Content-Type"),
            .body = request.body};
}

// The library bounds a body whose length was said, and no other.
std::optional<Reply> unreadable(const httplib::Request& request) {
    if (request.method == "GET" || request.method == "HEAD") return std::nullopt;
    if (request.has_header("Content-Encoding")) return Reply{.status = 415, .body = "no Content-Encoding, please\n"};
    if (request.has_header("Transfer-Encoding") || !request.has_header("Content-Length")) {
        return Reply{.status = 411, .body = "a Content-Length, please\n"};
    }
    return std::nullopt;
}

Site site_of(HttpServer::Routes routes) {
    return {.screen = [routes = std::move(routes)](const Request& request) -> std::optional<Reply> {
                const auto route = routes.find(request.path);
                if (route == routes.end()) return Reply{.status = 404, .body = "not found\n"};
                if (request.method == "GET" || request.method == "HEAD") return route->second();
                return Reply{.status = 405, .body = "only GET and HEAD\n", .headers = {{"Allow", "GET, HEAD"}}};
            },
            .answer = {}};
}

}  // namespace

class HttpServer::Service {
public:
    Service(const Address& address, Site site, Log& log)
        : site_{std::move(site)}, log_{log}, server_{site_.most_body_bytes} {
        configure();
        bound_ = address;
        if (address.port == 0) {
            bound_.port = server_.bind_to_any_port(address.host);
        } else if (!server_.bind_to_port(address.host, address.port)) {
            bound_.port = -1;
        }
        if (bound_.port <= 0) {
            throw std::runtime_error{"cannot listen on " + address.text() +
                                     ": taken by another program, or not an address of this host. Change http.listen"};
        }
        thread_ = std::jthread{[this] { serve(); }};
        while (!server_.is_running() && !ended_)
            std::this_thread::yield();  // until then `stop` would be overheard
    }

    ~Service() {
        stopping_ = true;
        server_.end();
    }

    [[nodiscard]] int port() const noexcept { return bound_.port; }
    [[nodiscard]] bool is_serving() const noexcept { return !ended_; }

private:
    void configure() {
        server_.new_task_queue = [] { return new BoundedPool; };  // the library owns it
        server_.set_default_headers({{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}});
        // Not SO_REUSEPORT, the library's choice: with it a second worker on the same port would take turns with the
        // first, and each scrape would find another's counters.
        server_.set_socket_options([](socket_t socket) {
            const int yes = 1;
            setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
            fcntl(socket, F_SETFD, FD_CLOEXEC);
        });
        // Before the library's routing, which matches paths with regular expressions and would read a body first.
        server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
            // The library would answer a thousand ranges with a thousand copies. A server may ignore them.
            const_cast<httplib::Request&>(request).ranges.clear();  // NOLINT(cppcoreguidelines-pro-type-const-cast)
            const auto asked = request_of(request);
            auto reply = guarded(asked.path, [&] { return site_.screen(asked); });
            if (!reply) reply = unreadable(request);
            if (!reply) return httplib::Server::HandlerResponse::Unhandled;
            give(*reply, response);
            return httplib::Server::HandlerResponse::Handled;
        });
        const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
            const auto asked = request_of(request);
            give(*guarded(asked.path, [&] { return std::optional{site_.answer(asked)}; }), response);
        };
        constexpr auto any_path = "[\\s\\S]*";  // a dot does not match a line break
        server_.Get(any_path, handler).Put(any_path, handler).Post(any_path, handler);
    }

    template <typename Function>
    std::optional<Reply> guarded(const std::string& path, const Function& function) {
        try {
            return function();
        } catch (const std::exception& error) {
            log_.write(Level::error, "no answer to a request", {{"path", path}, {"reason", error.what()}});
            return Reply{.status = 500, .body = "failed, see the log\n"};
        }
    }

    static void give(const Reply& reply, httplib::Response& response) {
        response.status = reply.status;
        for (const auto& [name, value] : reply.headers)
            response.set_header(name, value);
        response.set_content(reply.body, reply.type);
    }

    void serve() {
        server_.listen_after_bind();
        ended_ = true;
        if (!stopping_) log_.write(Level::error, "the HTTP server has ended", {{"address", bound_.text()}});
    }

    const Site site_;
    Log& log_;
    Address bound_;
    BoundedServer server_;
    std::atomic<bool> ended_{false};
    std::atomic<bool> stopping_{false};
    std::jthread thread_;  // last: uses the others
};

HttpServer::HttpServer(const Address& address, Site site, Log& log)
    : service_{std::make_unique<Service>(address, std::move(site), log)} {}

HttpServer::HttpServer(const Address& address, Routes routes, Log& log)
    : HttpServer{address, site_of(std::move(routes)), log} {}

HttpServer::~HttpServer() = default;

int HttpServer::port() const noexcept {
    return service_->port();
}

bool HttpServer::is_serving() const noexcept {
    return service_->is_serving();
}

}  // namespace millrace::ops
