#include "cli/signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

namespace millrace::cli {

namespace {

[[noreturn]] void raise_errno(const char* call) {
    throw std::system_error{errno, std::generic_category(), call};
}

}  // namespace

Signals::Signals() : had_terminal_{isatty(STDERR_FILENO) == 1} {
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGINT);
    sigaddset(&awaited, SIGHUP);
    if (const int failure = pthread_sigmask(SIG_BLOCK, &awaited, nullptr); failure != 0) {
        throw std::system_error{failure, std::generic_category(), "pthread_sigmask"};
    }
    if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) raise_errno("signal");
    signals_ = signalfd(-1, &awaited, SFD_CLOEXEC);
    if (signals_ < 0) raise_errno("signalfd");
    finished_ = eventfd(0, EFD_CLOEXEC);
    if (finished_ < 0) raise_errno("eventfd");
}

Signals::~Signals() {
    close(signals_);
    close(finished_);
}

std::optional<int> Signals::wait() {
    std::array<pollfd, 2> awaited{pollfd{signals_, POLLIN, 0}, pollfd{finished_, POLLIN, 0}};
    while (poll(awaited.data(), awaited.size(), -1) < 0) {
        if (errno != EINTR) raise_errno("poll");
    }
    // The end counts for more than a signal of the same moment: nothing is left that could be told to stop.
    if (awaited[1].revents != 0) return std::nullopt;
    signalfd_siginfo received{};
    if (read(signals_, &received, sizeof received) != sizeof received) raise_errno("read");
    const auto number = static_cast<int>(received.ssi_signo);
    const bool lost_terminal = had_terminal_ && isatty(STDERR_FILENO) != 1;
    return number == SIGHUP && lost_terminal ? SIGTERM : number;
}

std::optional<int> Signals::wait_for_end() {
    auto number = wait();
    while (number == SIGHUP)
        number = wait();
    return number;
}

void Signals::finish() noexcept {
    const std::uint64_t one = 1;
    // Cannot fail: the counter is far from its end.
    [[maybe_unused]] const auto written = write(finished_, &one, sizeof one);
}

}  // namespace millrace::cli
