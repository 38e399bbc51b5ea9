#pragma once
// Asks an HTTP server on this host as simply as can be, so that nothing between the test and the server repairs
// anything: one connection, one request, whatever comes until the server hangs up.
//
// Thread rule: any thread.

#include <string>

namespace millrace::testing {

struct Answer {
    int status = 0;       // 0: there was none
    std::string headers;  // with the status line
    std::string body;
};

[[nodiscard]] Answer web_request(int port, const std::string& path, const std::string& method = "GET");

// Sends these bytes; empty when the server hangs up without a word, or says nothing for ten seconds.
[[nodiscard]] std::string web_send(int port, const std::string& bytes);

}  // namespace millrace::testing
