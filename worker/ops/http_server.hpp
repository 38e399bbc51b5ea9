#pragma once
// A small HTTP server for what this program shows and takes: one site, one request per connection.
//
// A request is looked at before its body is read, and a body only read when the site has nothing against it and its
// length was said. Connections served at once and waiting are bounded, and so are heads and bodies, the time in which
// they must have come, and the time for taking an answer. When all threads are busy, further connections wait in the
// kernel.
//
// It speaks no TLS: what others may not read belongs behind a proxy, or on a network of one's own.
//
// Thread rule: a site's functions are called by several threads at once.

#include "ops/address.hpp"
#include "ops/log.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace millrace::ops {

struct Request {
    std::string method;
    std::string path;    // decoded, without the query
    std::string bearer;  // what follows "Authorization: Bearer "; empty without it
    std::string host;    // as the header names it, with the port
    std::string cookie;  // the whole header
    std::string content_type;
    std::string body;  // empty while the request is screened
};

struct Reply {
    int status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
    std::map<std::string, std::string> headers{};
};

struct Site {
    // The reply to what needs no body, or is refused; nothing: the body is read, and `answer` is asked.
    std::function<std::optional<Reply>(const Request&)> screen;
    std::function<Reply(const Request&)> answer;
    std::size_t most_body_bytes = 1024;
};

class HttpServer {
public:
    using Routes = std::map<std::string, std::function<Reply()>, std::less<>>;  // by path

    // Serves at once. Throws std::runtime_error when it cannot listen there. Port 0 takes any that is free.
    HttpServer(const Address& address, Site site, Log& log);
    // For machines that watch this process: a fixed set of paths, GET and HEAD, nothing else. There is no
    // authentication, so that the answers may hold nothing secret.
    HttpServer(const Address& address, Routes routes, Log& log);
    ~HttpServer();  // answers what has been asked, and ends
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] int port() const noexcept;
    // False when nobody accepts connections any more, and the log says so.
    [[nodiscard]] bool is_serving() const noexcept;

private:
    class Service;
    std::unique_ptr<Service> service_;
};

}  // namespace millrace::ops
