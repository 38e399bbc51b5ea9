#include "support/web.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace millrace::testing {

WebConnection::WebConnection(int port) : descriptor_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    const timeval patience{10, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

WebConnection::~WebConnection() {
    close(descriptor_);
}

ssize_t WebConnection::send(const std::string& bytes) const {
    return is_connected_ ? ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) : -1;
}

std::string WebConnection::receive() const {
    std::string received;
    std::array<char, 4096> part{};
    for (ssize_t length = 0; (length = recv(descriptor_, part.data(), part.size(), 0)) > 0;) {
        received.append(part.data(), static_cast<std::size_t>(length));
    }
    return received;
}

std::string web_send(int port, const std::string& bytes) {
    const WebConnection connection{port};
    return connection.send(bytes) < 0 ? std::string{} : connection.receive();
}

Answer web_request(int port, const std::string& path, const std::string& method) {
    const auto text = web_send(port, method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const auto end = text.find("\r\n\r\n");
    if (end == std::string::npos || !text.starts_with("HTTP/1.1 ")) return {};
    return {std::stoi(text.substr(9)), text.substr(0, end), text.substr(end + 4)};
}

}  // namespace millrace::testing
