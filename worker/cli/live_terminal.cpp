#include "cli/live_terminal.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace millrace::cli {

namespace {

constexpr std::size_t usual_height = 24;
// The second screen, so that what was on the first comes back; no cursor; lines do not wrap.
constexpr std::string_view second_screen = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view first_screen = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::string_view to_top = "\x1b[H";
constexpr std::string_view end_of_line = "\x1b[K\r\n";
constexpr std::string_view clear_below = "\x1b[J";

[[noreturn]] void raise_errno(const char* call) {
    throw std::system_error{errno, std::generic_category(), call};
}

// A terminal that is gone is noticed by its SIGHUP.
void write_all(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

int blocked_signals() {
    sigset_t awaited;
    sigemptyset(&awaited);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGWINCH})
        sigaddset(&awaited, number);
    if (const int failure = pthread_sigmask(SIG_BLOCK, &awaited, nullptr); failure != 0) {
        throw std::system_error{failure, std::generic_category(), "pthread_sigmask"};
    }
    const int descriptor = signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor < 0) raise_errno("signalfd");
    return descriptor;
}

}  // namespace

LiveTerminal::LiveTerminal() : signals_{blocked_signals()}, stirred_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (stirred_ < 0) raise_errno("eventfd");
    termios state{};
    if (tcgetattr(STDIN_FILENO, &state) == 0) {
        original_ = state;
        // Keys without their Enter, unseen; Ctrl-C stays a signal, and Ctrl-Z does not leave a screen without its
        // cursor.
        state.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        state.c_cc[VSUSP] = _POSIX_VDISABLE;
        tcsetattr(STDIN_FILENO, TCSANOW, &state);
    }
    write_all(second_screen);
}

LiveTerminal::~LiveTerminal() {
    leave();
    close(signals_);
    close(stirred_);
}

LiveTerminal::Event LiveTerminal::wait(std::chrono::milliseconds longest) {
    std::array<pollfd, 3> awaited{pollfd{signals_, POLLIN, 0}, pollfd{stirred_, POLLIN, 0},
                                  pollfd{original_ ? STDIN_FILENO : -1, POLLIN, 0}};
    if (poll(awaited.data(), awaited.size(), static_cast<int>(longest.count())) < 0 && errno != EINTR) {
        raise_errno("poll");
    }
    std::uint64_t stirs = 0;
    [[maybe_unused]] const auto emptied = read(stirred_, &stirs, sizeof stirs);
    signalfd_siginfo received{};
    while (read(signals_, &received, sizeof received) == sizeof received) {
        if (received.ssi_signo != SIGWINCH) return Event::quit;
    }
    return awaited[2].revents != 0 && is_quit_typed() ? Event::quit : Event::none;
}

bool LiveTerminal::is_quit_typed() {
    std::array<char, 64> keys{};
    const auto count = read(STDIN_FILENO, keys.data(), keys.size());
    if (count <= 0) return true;  // nobody will type any more
    return std::any_of(keys.data(), keys.data() + count, [](char key) { return key == 'q' || key == 'Q'; });
}

void LiveTerminal::stir() noexcept {
    const std::uint64_t one = 1;
    // Cannot fail: the counter is far from its end.
    [[maybe_unused]] const auto written = write(stirred_, &one, sizeof one);
}

std::size_t LiveTerminal::height() {
    winsize size{};
    const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
    return is_known ? size.ws_row : usual_height;
}

void LiveTerminal::leave() noexcept {
    if (std::exchange(has_left_, true)) return;
    write_all(first_screen);
    if (original_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &*original_);
}

void LiveTerminal::draw(std::string_view lines) {
    std::string picture{to_top};
    while (!lines.empty()) {
        const auto end = std::min(lines.find('\n'), lines.size());
        // Not behind the last line: on the lowest of the screen it would scroll all of it.
        if (picture.size() > to_top.size()) picture += end_of_line;
        picture += lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    picture += "\x1b[K";
    picture += clear_below;
    write_all(picture);
}

}  // namespace millrace::cli
