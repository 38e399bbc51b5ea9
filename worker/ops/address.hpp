#pragma once
// Where to listen.

#include <string>

namespace millrace::ops {

struct Address {
    std::string host;  // a name, or an address without brackets
    int port = 0;

    [[nodiscard]] std::string text() const {
        const bool is_v6 = host.find(':') != std::string::npos;
        return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
    }
};

}  // namespace millrace::ops
