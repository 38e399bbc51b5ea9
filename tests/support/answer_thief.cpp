#include "support/answer_thief.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <regex>
#include <system_error>
#include <utility>

namespace millrace::testing {
namespace {

constexpr int look_for_stop_every_ms = 20;

class Socket {
public:
    explicit Socket(int descriptor) : descriptor_{descriptor} {
        if (descriptor < 0) throw std::system_error{errno, std::generic_category(), "socket"};
    }
    ~Socket() { close(descriptor_); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    [[nodiscard]] int get() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

const sockaddr* as_generic(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

int listen_somewhere() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(0);
    if (bind(listener, as_generic(address), sizeof address) != 0 || listen(listener, 64) != 0) {
        throw std::system_error{errno, std::generic_category(), "listen"};
    }
    return listener;
}

int port_of(int listener) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

// What can be read now; nothing when the peer has closed.
std::optional<std::string> receive(int from) {
    std::array<char, 65536> buffer{};
    const auto length = recv(from, buffer.data(), buffer.size(), 0);
    if (length <= 0) return std::nullopt;
    return std::string{buffer.data(), static_cast<std::size_t>(length)};
}

bool send_all(int to, std::string_view text) {
    while (!text.empty()) {
        const auto sent = send(to, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

// The server is done with a request: ReadyForQuery, a message of one status byte.
bool ends_an_answer(std::string_view answer) {
    constexpr std::string_view ready{"Z\0\0\0\5", 5};
    return answer.size() > ready.size() && answer.substr(answer.size() - ready.size() - 1, ready.size()) == ready;
}

}  // namespace

AnswerThief::AnswerThief(Database& database)
    : listener_{listen_somewhere()},
      port_{port_of(listener_)},
      server_port_{std::stoi(database.value("select current_setting('port')"))},
      sessions_{database.worker_conninfo() + " host=127.0.0.1 port=" + std::to_string(port_)},
      acceptor_{[this](const std::stop_token& stop) { accept(stop); }} {}

AnswerThief::~AnswerThief() {
    acceptor_ = {};
    connections_.clear();
    close(listener_);
}

void AnswerThief::steal(std::string text) {
    const std::lock_guard lock{mutex_};
    wanted_ = std::move(text);
}

std::vector<std::string> AnswerThief::heard(const std::string& schema) {
    const std::lock_guard lock{mutex_};
    const std::regex call{schema + R"(\.[a-z_]+\()"};
    std::vector<std::string> names;
    for (std::sregex_iterator found{requests_.begin(), requests_.end(), call}; found != std::sregex_iterator{};
         ++found) {
        const auto name = found->str();
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

void AnswerThief::accept(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        pollfd watched{listener_, POLLIN, 0};
        if (poll(&watched, 1, look_for_stop_every_ms) <= 0) continue;
        const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        connections_.emplace_back([this, client](const std::stop_token& closing) { serve(client, closing); });
    }
}

void AnswerThief::serve(int accepted, const std::stop_token& stop) {
    const Socket client{accepted};
    const Socket server{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto address = loopback(server_port_);
    if (connect(server.get(), as_generic(address), sizeof address) != 0) return;

    bool stealing = false;
    while (!stop.stop_requested()) {
        std::array<pollfd, 2> watched{pollfd{client.get(), POLLIN, 0}, pollfd{server.get(), POLLIN, 0}};
        if (poll(watched.data(), watched.size(), look_for_stop_every_ms) <= 0) continue;
        if (watched[0].revents != 0) {
            const auto request = receive(client.get());
            if (!request) return;
            stealing = stealing || is_wanted(*request);
            if (!send_all(server.get(), *request)) return;
        }
        if (watched[1].revents != 0) {
            const auto answer = receive(server.get());
            if (!answer) return;
            if (stealing && ends_an_answer(*answer)) {
                ++stolen_;
                return;
            }
            if (!stealing && !send_all(client.get(), *answer)) return;
        }
    }
}

bool AnswerThief::is_wanted(std::string_view request) {
    const std::lock_guard lock{mutex_};
    requests_ += request;
    if (wanted_.empty() || request.find(wanted_) == request.npos) return false;
    wanted_.clear();
    return true;
}

}  // namespace millrace::testing
