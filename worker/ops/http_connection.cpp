#include "ops/http_connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace millrace::ops {
namespace {

constexpr std::chrono::milliseconds look_every{100};  // whether the server ends
constexpr std::size_t most_drained = std::size_t{256} * 1024;
constexpr std::chrono::seconds drain_for{1};

}  // namespace

HttpConnection::HttpConnection(socket_t socket, std::size_t most_bytes, const std::atomic<bool>& ending)
    : socket_{socket}, ending_{ending}, left_{most_bytes} {}

HttpConnection::~HttpConnection() {
    ::shutdown(socket_, SHUT_WR);
    if (too_much_) drain();
    ::close(socket_);
}

bool HttpConnection::is_readable() const {
    return begin_ < end_ || await(POLLIN, read_until_);
}

bool HttpConnection::is_writable() const {
    return await(POLLOUT, write_until_.value_or(Clock::now() + most_writing));
}

ssize_t HttpConnection::read(char* into, std::size_t size) {
    if (begin_ == end_ && !fill()) return -1;
    const auto length = std::min(size, end_ - begin_);
    std::memcpy(into, buffer_.data() + begin_, length);
    begin_ += length;
    return static_cast<ssize_t>(length);
}

ssize_t HttpConnection::write(const char* from, std::size_t size) {
    if (!write_until_) write_until_ = Clock::now() + most_writing;
    if (!await(POLLOUT, *write_until_)) return -1;
    return ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void HttpConnection::get_remote_ip_and_port(std::string& ip, int& port) const {
    ip.clear();
    port = 0;
}

void HttpConnection::get_local_ip_and_port(std::string& ip, int& port) const {
    get_remote_ip_and_port(ip, port);
}

bool HttpConnection::await(short events, Clock::time_point until) const {
    while (true) {
        const bool last = ending_ && (events & POLLIN) != 0;  // an answer may still be taken
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        const auto slice = last ? std::chrono::milliseconds{0} : std::clamp(left, {}, look_every);
        pollfd wanted{socket_, events, 0};
        const auto found = ::poll(&wanted, 1, static_cast<int>(slice.count()));
        if (found > 0) return true;
        if ((found < 0 && errno != EINTR) || last || left <= left.zero()) return false;
    }
}

bool HttpConnection::fill() {
    if (left_ == 0) {
        too_much_ = true;
        return false;
    }
    if (!await(POLLIN, read_until_)) return false;
    const auto length = ::recv(socket_, buffer_.data(), std::min(left_, buffer_.size()), MSG_DONTWAIT);
    if (length <= 0) return false;
    begin_ = 0;
    end_ = static_cast<std::size_t>(length);
    left_ -= end_;
    return true;
}

// A client that still sends would find its connection reset, and not read why.
void HttpConnection::drain() {
    const auto until = Clock::now() + drain_for;
    for (std::size_t taken = 0; taken < most_drained && await(POLLIN, until);) {
        const auto length = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (length <= 0) return;
        taken += static_cast<std::size_t>(length);
    }
}

}  // namespace millrace::ops
