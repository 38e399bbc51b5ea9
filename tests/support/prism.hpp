#pragma once
// Another's judge of HTTP (Prism) between a client and a server of a test: what the description of an interface does
// not allow, in a request or in an answer, becomes an error.
//
// Thread rule: one thread.

#include <string>
#include <thread>

namespace millrace::testing {

class Prism {
public:
    // `description` is a file of OpenAPI. Throws std::runtime_error when the proxy does not answer in time.
    Prism(const std::string& description, const std::string& upstream);

    [[nodiscard]] std::string url() const;  // without a slash at its end

private:
    int port_;
    std::jthread proxy_;  // ends its process when asked to stop
};

}  // namespace millrace::testing
