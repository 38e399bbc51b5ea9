#pragma once
// An HTTP server on this host that answers each request with the bytes that the test says, be they HTTP or not, and
// remembers what it was asked. Connections are kept.
//
// Thread rule: the script is called from a thread for each connection; everything else from any thread.

#include "core/guarded.hpp"

#include <functional>
#include <list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::testing {

struct WebRequest {
    std::string method;
    std::string target;
    std::string head;  // with the request line
    std::string body;

    [[nodiscard]] std::string header(const std::string& name) const;  // in the case in which it was sent
};

struct WebReply {
    enum class Then { keep, close, reset, hang };  // hang: until the other side or the server ends
    std::string bytes;
    Then then = Then::keep;
};

using WebHeaders = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] WebReply web_reply(int status, const std::string& body, const WebHeaders& headers = {});

class WebServer {
public:
    using Script = std::function<WebReply(const WebRequest&)>;

    explicit WebServer(Script script);
    ~WebServer();
    WebServer(const WebServer&) = delete;
    WebServer& operator=(const WebServer&) = delete;

    [[nodiscard]] std::string url() const;  // without a slash at its end
    [[nodiscard]] std::vector<WebRequest> seen() const;
    [[nodiscard]] int connections() const;

private:
    void accept_all();
    void converse(int socket);

    struct State {
        std::vector<WebRequest> seen;
        std::vector<int> sockets;  // all that there ever were; closed with the server
        bool has_ended = false;
    };

    const Script script_;
    core::Guarded<State> state_;
    int listener_ = -1;
    int port_ = 0;
    std::list<std::jthread> conversations_;
    std::jthread accepting_;
};

}  // namespace millrace::testing
