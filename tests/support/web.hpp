#pragma once
// Asks an HTTP server on this host as simply as can be, so that nothing between the test and the server repairs
// anything: one connection, one request, whatever comes until the server hangs up.
//
// Thread rule: any thread.

#include <sys/types.h>

#include <string>

namespace millrace::testing {

struct Answer {
    int status = 0;       // 0: there was none
    std::string headers;  // with the status line
    std::string body;
};

class WebConnection {
public:
    explicit WebConnection(int port);
    ~WebConnection();
    WebConnection(const WebConnection&) = delete;
    WebConnection& operator=(const WebConnection&) = delete;

    // How many were taken; -1: the server has hung up.
    ssize_t send(const std::string& bytes) const;
    // Until the server hangs up, or says nothing for ten seconds.
    [[nodiscard]] std::string receive() const;

private:
    int descriptor_;
    bool is_connected_ = false;
};

[[nodiscard]] Answer web_request(int port, const std::string& path, const std::string& method = "GET");

// Sends these bytes; empty when the server hangs up without a word, or says nothing for ten seconds.
[[nodiscard]] std::string web_send(int port, const std::string& bytes);

}  // namespace millrace::testing
