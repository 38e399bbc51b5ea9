#include "ops/supervisor.hpp"

#include "engine/pause.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>
#include <utility>

namespace millrace::ops {
namespace {

// A path that is longer than there is room for has been refused before.
std::pair<sockaddr_un, socklen_t> address_of(const std::string& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket.data(), socket.size());
    if (socket.front() == '@') address.sun_path[0] = '\0';
    return {address, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size())};
}

bool is_usable(const std::string& socket) {
    constexpr auto most = sizeof(sockaddr_un::sun_path) - 1;
    return (socket.starts_with('/') || socket.starts_with('@')) && socket.size() > 1 && socket.size() <= most;
}

}  // namespace

Supervisor::Supervisor(Supervision supervision, Log& log) : supervision_{std::move(supervision)}, log_{log} {
    if (supervision_.socket.empty()) return;
    if (!is_usable(supervision_.socket)) {
        log_.write(Level::warning, "cannot tell the supervisor", {{"reason", "NOTIFY_SOCKET is no path and no @name"}});
        return;
    }
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) throw std::system_error{errno, std::generic_category(), "socket"};
}

Supervisor::~Supervisor() {
    if (socket_ >= 0) close(socket_);
}

bool Supervisor::tell_ready() {
    if (!tell("READY=1")) return false;
    is_told_ready_ = true;
    return true;
}

// With the time, as Type=notify-reload wants it; others overlook it.
bool Supervisor::tell_reloading() {
    if (!is_told_ready_) return false;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                            std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

bool Supervisor::tell(std::string_view message) {
    if (!is_there()) return false;
    const auto [address, size] = address_of(supervision_.socket);
    const auto* to = reinterpret_cast<const sockaddr*>(&address);  // as sendto(2) wants it
    const auto sent = sendto(socket_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT, to, size);
    if (sent == static_cast<ssize_t>(message.size())) return true;
    const auto reason = std::generic_category().message(errno);
    if (!has_complained_.exchange(true)) {
        log_.write(Level::warning, "cannot tell the supervisor", {{"reason", reason}});
    }
    return false;
}

Watching::Watching(Supervisor& supervisor, std::function<State()> look)
    : supervisor_{supervisor}, look_{std::move(look)} {
    if (supervisor_.is_there()) thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

// Half the watchdog's time, as sd_watchdog_enabled(3) advises: one sign may come late.
void Watching::run(const std::stop_token& stop) {
    using std::chrono::milliseconds;
    const auto half = std::chrono::duration_cast<milliseconds>(supervisor_.watchdog() / 2);
    bool is_told = false;
    while (!stop.stop_requested()) {
        const auto state = look_();
        if (!is_told && state.is_ready) is_told = supervisor_.tell_ready();
        if (is_told && supervisor_.watchdog().count() == 0) return;
        if (is_told && state.is_alive) supervisor_.tell_alive();
        engine::pause(stop, is_told ? std::max(half, milliseconds{1}) : look_every);
    }
}

}  // namespace millrace::ops
