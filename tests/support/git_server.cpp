#include "support/git_server.hpp"

#include "adapters/process.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace millrace::testing {
namespace {

constexpr std::chrono::seconds start_deadline{20};

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

bool answers(int port) {
    const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    const bool is_there = connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(file);
    return is_there;
}

void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream{file} << text;
}

void require_success(std::vector<std::string> command) {
    const auto end = adapters::run_process({std::move(command), {"PATH=/usr/bin:/bin"}, "/"}, {}, {});
    if (!end.succeeded()) throw std::runtime_error{end.errors};
}

}  // namespace

int free_port() {
    const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    const bool holds = bind(file, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       getsockname(file, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    close(file);
    if (!holds) throw std::runtime_error{"there is no free port"};
    return ntohs(address.sin_port);
}

std::jthread serve(std::vector<std::string> command, int port) {
    // No server outlives a test that is killed.
    command.insert(command.begin(), {"/usr/bin/setpriv", "--pdeathsig=KILL"});
    std::jthread server{[command = std::move(command)](const std::stop_token& stop) {
        adapters::ProcessLimits limits;
        limits.time = std::chrono::minutes{10};
        limits.excess = adapters::ProcessLimits::Excess::drops_the_beginning;
        const auto end = adapters::run_process({command, {"PATH=/usr/bin:/bin"}, "/"}, limits, stop);
        if (end.reason == adapters::ProcessEnd::Reason::exited) fmt::print(stderr, "{}{}\n", end.output, end.errors);
    }};
    const auto deadline = std::chrono::steady_clock::now() + start_deadline;
    while (!answers(port)) {
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error{"a server did not start; `./dev setup` installs what it needs"};
        }
        std::this_thread::yield();
    }
    return server;
}

GitServer::GitServer(Transport transport, const std::string& root) : port_{free_port()} {
    server_ = serve(transport == Transport::http ? prepare_http(root) : prepare_ssh(root), port_);
}

std::vector<std::string> GitServer::prepare_http(const std::string& root) {
    const auto config = directory_.path() / "lighttpd.conf";
    write(config, fmt::format(R"(
server.document-root = "{0}"
server.bind = "127.0.0.1"
server.port = {1}
server.errorlog = "{2}/errors"
server.modules = ("mod_alias", "mod_setenv", "mod_cgi")
alias.url = ("/git" => "/usr/lib/git-core/git-http-backend")
cgi.assign = ("" => "")
setenv.add-environment = ("GIT_PROJECT_ROOT" => "{0}", "GIT_HTTP_EXPORT_ALL" => "1",
    "GIT_CONFIG_COUNT" => "2", "GIT_CONFIG_KEY_0" => "http.receivepack", "GIT_CONFIG_VALUE_0" => "true",
    "GIT_CONFIG_KEY_1" => "safe.directory", "GIT_CONFIG_VALUE_1" => "*")
)",
                              root, port_, directory_.path().string()));
    prefix_ = fmt::format("http://127.0.0.1:{}/git", port_);
    return {"/usr/sbin/lighttpd", "-D", "-f", config};
}

std::vector<std::string> GitServer::prepare_ssh(const std::string& root) {
    const auto in = directory_.path().string();
    for (const auto* key : {"host", "client"})
        require_success({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", in + "/" + key});
    std::filesystem::copy_file(in + "/client.pub", in + "/authorized");
    if (getuid() == 0) std::filesystem::create_directories("/run/sshd");  // demanded of root's
    write(in + "/sshd.conf",
          fmt::format("ListenAddress 127.0.0.1\nPort {0}\nHostKey {1}/host\nPidFile none\nUsePAM no\n"
                      "AuthorizedKeysFile {1}/authorized\nStrictModes no\nPermitRootLogin yes\n"
                      "PasswordAuthentication no\n",
                      port_, in));
    write(in + "/ssh.conf", fmt::format("IdentityFile {0}/client\nIdentitiesOnly yes\nStrictHostKeyChecking yes\n"
                                        "UserKnownHostsFile {0}/known\n",
                                        in));
    std::ifstream host{in + "/host.pub"};
    std::string key;
    std::getline(host, key);
    write(in + "/known", fmt::format("[127.0.0.1]:{} {}\n", port_, key));
    write(in + "/ssh", fmt::format("#!/bin/sh\nexec /usr/bin/ssh -F {}/ssh.conf \"$@\"\n", in));
    std::filesystem::permissions(in + "/ssh", std::filesystem::perms::owner_all);
    environment_ = {"GIT_SSH=" + in + "/ssh", "GIT_SSH_VARIANT=ssh"};
    prefix_ = fmt::format("ssh://{}@127.0.0.1:{}{}", getpwuid(getuid())->pw_name, port_, root);
    return {"/usr/sbin/sshd", "-D", "-e", "-f", in + "/sshd.conf"};
}

}  // namespace millrace::testing
