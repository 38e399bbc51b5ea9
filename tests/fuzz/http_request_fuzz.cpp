// What connects to http.listen: any bytes, then a blank line, with which every header ends. The library parses; the
// routes, the methods and the limits are ours.
//
// Property: at most one answer per connection, in time, whole and of its stated length; only GET and HEAD of the known
// path are served; and the server goes on.

#include "fuzz/input.hpp"
#include "ops/http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <tuple>

namespace millrace::fuzz {
namespace {

constexpr std::string_view secret_body{"the body of the route\n"};

ops::HttpServer& server() {
    static ops::Log log{ops::Log::Format::json, stderr, ops::Level::error};
    static ops::HttpServer served{
        {"127.0.0.1", 0}, {{"/metrics", [] { return ops::Reply{.body = std::string{secret_body}}; }}}, log};
    return served;
}

// libFuzzer looks at its clock by a signal, which interrupts whatever waits.
template <class Call>
auto uninterrupted(Call call) {
    auto result = call();
    while (result < 0 && (errno == EINTR || errno == EALREADY))
        result = call();
    return result;
}

class Connection {
public:
    explicit Connection(int port) : socket_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        const timeval patience{8, 0};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto connected = uninterrupted(
            [&] { return connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address); });
        require(connected == 0 || errno == EISCONN, "the server accepts connections");
    }
    ~Connection() { close(socket_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // A server that has heard enough hangs up before all is sent: what it has answered counts all the same. Our side
    // stays open, because the library answers nobody who has ended his.
    [[nodiscard]] std::string exchange(std::string_view bytes) const {
        const auto request = std::string{bytes} + "\r\n\r\n";
        std::ignore = uninterrupted([&] { return send(socket_, request.data(), request.size(), MSG_NOSIGNAL); });
        std::string received;
        std::array<char, 4096> part{};
        const auto receive = [&] { return recv(socket_, part.data(), part.size(), 0); };
        ssize_t length = 0;
        while ((length = uninterrupted(receive)) > 0)
            received.append(part.data(), static_cast<std::size_t>(length));
        require(length == 0 || errno == ECONNRESET, "the server hangs up in time", received);
        return received;
    }

private:
    int socket_;
};

// The library is generous: it takes blanks off the ends of each word of the request line.
std::string_view method_of(std::string_view request) {
    constexpr std::string_view blanks{" \t"};
    request.remove_prefix(std::min(request.find_first_not_of(blanks), request.size()));
    return request.substr(0, request.find_first_of(blanks));
}

void require_one_answer(std::string answer, std::string_view request) {
    constexpr std::string_view go_on{"HTTP/1.1 100 Continue\r\n\r\n"};  // to a client that has asked for it
    if (answer.starts_with(go_on)) answer.erase(0, go_on.size());
    if (answer.empty()) return;
    const auto method = method_of(request);
    require(answer.starts_with("HTTP/1.1 ") && answer.size() > 12, "an answer has a status", answer);
    const auto end = answer.find("\r\n\r\n");
    require(end != answer.npos, "an answer's header ends", answer);
    const auto header = answer.substr(0, end + 2);
    const auto body = answer.substr(end + 4);
    const auto length = header.find("Content-Length: ");
    if (length != header.npos && method != "HEAD") {
        require(std::stoul(header.substr(length + 16)) == body.size(), "a body has its stated length", answer);
    }
    const auto status = answer.substr(9, 3);
    if (status == "200") {
        require(method == "GET" || method == "HEAD", "only GET and HEAD are served", answer);
        require(request.find("metrics") != request.npos || request.find('%') != request.npos,
                "only the route is served", answer);
    } else {
        require(body.find(secret_body) == body.npos, "a refusal holds nothing of the route", answer);
    }
}

}  // namespace

void try_input(std::string_view bytes) {
    const auto port = server().port();
    require_one_answer(Connection{port}.exchange(bytes), bytes);
    static unsigned inputs = 0;
    if (++inputs % 64 != 0) return;
    const auto answer = Connection{port}.exchange("GET /metrics HTTP/1.1\r\nHost: localhost");
    require(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(secret_body), "the server goes on", answer);
}

}  // namespace millrace::fuzz
