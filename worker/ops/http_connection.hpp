#pragma once
// One client's connection as the library's stream, with what the library lacks: bounds. It would keep a line without an
// end in memory however long that grows, and wait for a client for as long as that sends a byte now and then.
//
// A connection may bring so many bytes within `most_reading`, and has `most_writing` to take the answer. When the
// server ends, only what has arrived already is read.
//
// For http_server.cpp only: it includes the library. Thread rule: one thread.

#include <httplib.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>

namespace millrace::ops {

class HttpConnection : public httplib::Stream {
public:
    static constexpr std::chrono::seconds most_reading{10};
    static constexpr std::chrono::seconds most_writing{10};

    HttpConnection(socket_t socket, std::size_t most_bytes, const std::atomic<bool>& ending);
    ~HttpConnection() override;  // hangs up
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;

    [[nodiscard]] bool is_readable() const override;
    [[nodiscard]] bool is_writable() const override;
    ssize_t read(char* into, std::size_t size) override;
    ssize_t write(const char* from, std::size_t size) override;
    // Nobody asks for whom an answer is.
    void get_remote_ip_and_port(std::string& ip, int& port) const override;
    void get_local_ip_and_port(std::string& ip, int& port) const override;
    [[nodiscard]] socket_t socket() const override { return socket_; }

    [[nodiscard]] bool has_brought_too_much() const noexcept { return too_much_; }
    [[nodiscard]] bool is_answered() const noexcept { return write_until_.has_value(); }

private:
    using Clock = std::chrono::steady_clock;

    // Until one of these events, the end of the time, or the end of the server.
    [[nodiscard]] bool await(short events, Clock::time_point until) const;
    [[nodiscard]] bool fill();
    void drain();

    const socket_t socket_;
    const std::atomic<bool>& ending_;
    const Clock::time_point read_until_ = Clock::now() + most_reading;
    std::optional<Clock::time_point> write_until_;  // from the first byte of the answer
    std::size_t left_;                              // that it may still bring
    bool too_much_ = false;
    std::array<char, 4096> buffer_{};
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace millrace::ops
