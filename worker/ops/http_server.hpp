#pragma once
// A small HTTP server for machines that watch this process: a fixed set of paths, GET and HEAD, nothing else.
//
// It has no authentication, so it belongs on the loopback interface or a network of one's own, and its answers hold
// nothing that is secret. Connections served at once and waiting are bounded, and so is the wait for a client that says
// nothing; one request per connection. When all threads are busy, further connections wait in the kernel.
//
// Thread rule: answers are called by several threads at once.

#include "ops/address.hpp"
#include "ops/log.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace millrace::ops {

struct Reply {
    int status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
};

class HttpServer {
public:
    using Routes = std::map<std::string, std::function<Reply()>, std::less<>>;  // by path

    // Serves at once. Throws std::runtime_error when it cannot listen there. Port 0 takes any that is free.
    HttpServer(const Address& address, Routes routes, Log& log);
    ~HttpServer();  // answers what has been asked, and ends
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] int port() const noexcept;

private:
    class Service;
    std::unique_ptr<Service> service_;
};

}  // namespace millrace::ops
