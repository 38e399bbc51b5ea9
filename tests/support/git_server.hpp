#pragma once
// Serves repositories over http (lighttpd and git's own http-backend) or ssh (sshd on a port of its own, with keys made
// for the occasion) for the length of a test.
//
// Thread rule: one thread.

#include "support/git_remote.hpp"

#include <string>
#include <thread>
#include <vector>

namespace millrace::testing {

// A port of this host that nobody listens on.
[[nodiscard]] int free_port();

// Runs a server until the thread is asked to stop, or this process ends. Throws std::runtime_error when nobody answers
// at the port in time.
[[nodiscard]] std::jthread serve(std::vector<std::string> command, int port);

class GitServer {
public:
    enum class Transport { http, ssh };

    // Of all repositories in `root`. Throws std::runtime_error when the server does not answer in time.
    GitServer(Transport transport, const std::string& root);

    // Of the repository `name` in that directory.
    [[nodiscard]] std::string url(const std::string& name) const { return prefix_ + "/" + name; }

    // NAME=value: what git needs to see to get in.
    [[nodiscard]] const std::vector<std::string>& environment() const noexcept { return environment_; }

private:
    std::vector<std::string> prepare_http(const std::string& root);
    std::vector<std::string> prepare_ssh(const std::string& root);

    TemporaryDirectory directory_;
    int port_;
    std::string prefix_;
    std::vector<std::string> environment_;
    std::jthread server_;  // ends its process when asked to stop
};

}  // namespace millrace::testing
