#include "ops/http_server.hpp"

#include <fcntl.h>
#include <httplib.h>
#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::ops {
namespace {

constexpr std::size_t threads = 8;
constexpr std::size_t most_waiting = 16;  // connections accepted and not served yet
// No body is ever read, so that what follows a request is not known to be another; and a thread that waits for a
// client's next request would be missed by others.
constexpr std::size_t requests_per_connection = 1;
constexpr std::time_t idle_seconds = 5;  // a thread waits so long for a connection's request
constexpr std::chrono::seconds transfer_timeout{5};
constexpr std::size_t most_body_bytes = 1024;  // of a request; there is no use for one

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

class HttpServer::Service {
public:
    Service(const Address& address, Routes routes, Log& log) : routes_{std::move(routes)}, log_{log} {
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
        server_.stop();
    }

    [[nodiscard]] int port() const noexcept { return bound_.port; }

private:
    void configure() {
        server_.new_task_queue = [] { return new BoundedPool; };  // the library owns it
        server_.set_keep_alive_max_count(requests_per_connection);
        server_.set_keep_alive_timeout(idle_seconds);
        server_.set_read_timeout(transfer_timeout);
        server_.set_write_timeout(transfer_timeout);
        server_.set_payload_max_length(most_body_bytes);
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
            answer(request, response);
            return httplib::Server::HandlerResponse::Handled;
        });
    }

    void answer(const httplib::Request& request, httplib::Response& response) {
        const auto reply = reply_to(request);
        response.status = reply.status;
        if (reply.status == 405) response.set_header("Allow", "GET, HEAD");
        response.set_content(reply.body, reply.type);
    }

    [[nodiscard]] Reply reply_to(const httplib::Request& request) {
        const auto route = routes_.find(request.path);
        if (route == routes_.end()) return {.status = 404, .body = "not found\n"};
        if (request.method != "GET" && request.method != "HEAD") return {.status = 405, .body = "only GET and HEAD\n"};
        try {
            return route->second();
        } catch (const std::exception& error) {
            log_.write(Level::error, "no answer to a request", {{"path", route->first}, {"reason", error.what()}});
            return {.status = 500, .body = "failed, see the log\n"};
        }
    }

    void serve() {
        server_.listen_after_bind();
        ended_ = true;
        if (!stopping_) log_.write(Level::error, "the HTTP server has ended", {{"address", bound_.text()}});
    }

    const Routes routes_;
    Log& log_;
    Address bound_;
    httplib::Server server_;
    std::atomic<bool> ended_{false};
    std::atomic<bool> stopping_{false};
    std::jthread thread_;  // last: uses the others
};

HttpServer::HttpServer(const Address& address, Routes routes, Log& log)
    : service_{std::make_unique<Service>(address, std::move(routes), log)} {}

HttpServer::~HttpServer() = default;

int HttpServer::port() const noexcept {
    return service_->port();
}

}  // namespace millrace::ops
