#include "support/web_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <stdexcept>

namespace millrace::testing {
namespace {

// The rest of a request of which `bytes` is the beginning; nothing at the end of the connection.
std::optional<WebRequest> next_request(int socket, std::string& bytes) {
    const auto receive = [&] {
        std::array<char, 4096> some{};
        const auto size = ::recv(socket, some.data(), some.size(), 0);
        if (size > 0) bytes.append(some.data(), static_cast<std::size_t>(size));
        return size > 0;
    };
    auto end = bytes.find("\r\n\r\n");
    while (end == std::string::npos) {
        if (!receive()) return std::nullopt;
        end = bytes.find("\r\n\r\n");
    }
    WebRequest request{.method = {}, .target = {}, .head = bytes.substr(0, end + 2), .body = {}};
    bytes.erase(0, end + 4);
    const auto first = request.head.find(' ');
    request.method = request.head.substr(0, first);
    request.target = request.head.substr(first + 1, request.head.find(' ', first + 1) - first - 1);
    const auto length = request.header("Content-Length");
    const auto size = length.empty() ? std::size_t{0} : std::stoul(length);
    while (bytes.size() < size)
        if (!receive()) return std::nullopt;
    request.body = bytes.substr(0, size);
    bytes.erase(0, size);
    return request;
}

void send_all(int socket, const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto size = ::send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (size <= 0) return;
        sent += static_cast<std::size_t>(size);
    }
}

}  // namespace

std::string WebRequest::header(const std::string& name) const {
    const auto lowered = [](std::string text) {
        std::transform(text.begin(), text.end(), text.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        return text;
    };
    const auto start = lowered(head).find(lowered("\r\n" + name + ": "));
    if (start == std::string::npos) return "";
    const auto value = start + name.size() + 4;
    return head.substr(value, head.find("\r\n", value) - value);
}

WebReply web_reply(int status, const std::string& body, const WebHeaders& headers) {
    auto bytes = fmt::format("HTTP/1.1 {} Scripted\r\nContent-Length: {}\r\n", status, body.size());
    for (const auto& [name, value] : headers)
        bytes += fmt::format("{}: {}\r\n", name, value);
    return {bytes + "\r\n" + body};
}

WebServer::WebServer(Script script) : script_{std::move(script)} {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || ::bind(listener_, any, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, any, &size) != 0) {
        throw std::runtime_error{"cannot listen on this host"};
    }
    port_ = ntohs(address.sin_port);
    accepting_ = std::jthread{[this] { accept_all(); }};
}

WebServer::~WebServer() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    state_.with([](State& state) {
        state.has_ended = true;
        for (const int socket : state.sockets)
            ::shutdown(socket, SHUT_RDWR);
    });
    conversations_.clear();
    state_.with([](State& state) {
        for (const int socket : state.sockets)
            ::close(socket);
    });
    ::close(listener_);
}

void WebServer::accept_all() {
    for (;;) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) return;
        state_.with([&](State& state) { state.sockets.push_back(socket); });
        conversations_.emplace_back([this, socket] { converse(socket); });
    }
}

void WebServer::converse(int socket) {
    std::string bytes;
    while (const auto request = next_request(socket, bytes)) {
        state_.with([&](State& state) { state.seen.push_back(*request); });
        const auto reply = script_(*request);
        send_all(socket, reply.bytes);
        if (reply.then == WebReply::Then::keep) continue;
        if (reply.then == WebReply::Then::hang) {
            static_cast<void>(next_request(socket, bytes));  // there is none
        } else if (reply.then == WebReply::Then::reset) {
            const linger at_once{.l_onoff = 1, .l_linger = 0};
            ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            sockaddr nobody{};
            nobody.sa_family = AF_UNSPEC;
            static_cast<void>(
                ::connect(socket, &nobody, sizeof nobody));  // ends the connection with RST, and leaves the descriptor
            return;
        }
        ::shutdown(socket, SHUT_RDWR);
        return;
    }
}

std::string WebServer::url() const {
    return fmt::format("http://127.0.0.1:{}", port_);
}

std::vector<WebRequest> WebServer::seen() const {
    return state_.with([](const State& state) { return state.seen; });
}

int WebServer::connections() const {
    return state_.with([](const State& state) { return static_cast<int>(state.sockets.size()); });
}

}  // namespace millrace::testing
