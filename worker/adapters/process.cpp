#include "adapters/process.hpp"

#include "adapters/usage.hpp"
#include "core/check.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

namespace millrace::adapters {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t chunk_bytes = std::size_t{64} * 1024;
constexpr std::chrono::milliseconds memory_rhythm{100};
constexpr std::chrono::milliseconds disk_rhythm{1000};
constexpr int disk_share = 20;  // of the time at most one part in so many goes to looking at the disk

void require(bool holds, const char* what) {
    if (!holds) throw std::system_error{errno, std::generic_category(), what};
}

void require_zero(int error, const std::string& what) {
    if (error != 0) throw std::system_error{error, std::generic_category(), what};
}

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_{number} {}
    Descriptor(Descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() { close(); }

    void close() {
        if (number_ >= 0) ::close(std::exchange(number_, -1));
    }
    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_ = -1;
};

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        require(pipe2(ends.data(), O_CLOEXEC) == 0, "pipe");
        read = Descriptor{ends[0]};
        write = Descriptor{ends[1]};
        // Only our end: a program may rely on writes that block.
        require(fcntl(read.number(), F_SETFL, O_NONBLOCK) == 0, "fcntl");
    }
    Descriptor read;
    Descriptor write;
};

class FileActions {
public:
    FileActions() { require_zero(posix_spawn_file_actions_init(&actions_), "posix_spawn"); }
    ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;

    void arrange(const std::string& directory, int output, int errors) {
        if (!directory.empty()) {
            require_zero(posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str()), "posix_spawn");
        }
        require_zero(posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0),
                     "posix_spawn");
        require_zero(posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO), "posix_spawn");
        require_zero(posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO), "posix_spawn");
        require_zero(posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1), "posix_spawn");
    }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

// A group of its own, and signals as a fresh process has them: this one blocks those that it waits for.
class Attributes {
public:
    Attributes() {
        require_zero(posix_spawnattr_init(&attributes_), "posix_spawn");
        sigset_t signals;
        sigemptyset(&signals);
        posix_spawnattr_setsigmask(&attributes_, &signals);
        sigfillset(&signals);
        posix_spawnattr_setsigdefault(&attributes_, &signals);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    ~Attributes() { posix_spawnattr_destroy(&attributes_); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

private:
    posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    // execve's signature predates const; it does not write.
    for (const auto& text : texts)
        result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
}

pid_t spawn(const Command& command, int output, int errors) {
    CHECK(!command.arguments.empty());
    const Attributes attributes;
    FileActions actions;
    actions.arrange(command.directory, output, errors);
    pid_t pid = -1;
    require_zero(posix_spawnp(&pid, command.arguments.front().c_str(), actions.get(), attributes.get(),
                              pointers(command.arguments).data(), pointers(command.environment).data()),
                 "cannot start " + command.arguments.front());
    return pid;
}

// Our end of one output stream and what is kept of it.
class Stream {
public:
    Stream() = default;  // of nothing
    explicit Stream(Descriptor descriptor) : descriptor_{std::move(descriptor)} {}

    [[nodiscard]] pollfd awaited() const { return {descriptor_.number(), POLLIN, 0}; }

    // Whatever is there now. False when the stream is longer than it may be.
    [[nodiscard]] bool read_available(const ProcessLimits& limits, const OutputListener& listener) {
        std::array<char, chunk_bytes> chunk;  // NOLINT: not read before it is written
        while (descriptor_.number() >= 0) {
            const auto amount = ::read(descriptor_.number(), chunk.data(), chunk.size());
            if (amount < 0 && errno == EINTR) continue;
            if (amount < 0 && errno == EAGAIN) return true;
            if (amount <= 0) {
                descriptor_.close();
                return true;
            }
            kept_.append(chunk.data(), static_cast<std::size_t>(amount));
            if (listener) listener({chunk.data(), static_cast<std::size_t>(amount)});
            written_ += static_cast<std::uint64_t>(amount);
            if (limits.written > 0 && written_ > limits.written) return false;
            if (kept_.size() <= limits.output) continue;
            if (limits.excess == ProcessLimits::Excess::ends_the_run) {
                kept_.resize(limits.output);
                return false;
            }
            is_cut_ = true;
            if (kept_.size() > 2 * limits.output + chunk_bytes) cut(limits.output);  // seldom: each cut moves the rest
            return true;  // so that a stream without end keeps nobody from looking at the time
        }
        return true;
    }

    [[nodiscard]] std::string take(std::size_t limit) {
        if (kept_.size() > limit) cut(limit);
        return std::move(kept_);
    }
    [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }

private:
    void cut(std::size_t limit) { kept_.erase(0, kept_.size() - limit); }

    Descriptor descriptor_;
    std::string kept_;
    std::uint64_t written_ = 0;
    bool is_cut_ = false;
};

// A child that has been started and will be reaped, however this ends.
class Child {
public:
    Child(const Command& command, Streams streams) {
        Pipe output;
        Pipe errors;
        const auto& errors_to = streams == Streams::together ? output : errors;
        pid_ = spawn(command, output.write.number(), errors_to.write.number());
        output_ = Stream{std::move(output.read)};
        errors_ = Stream{std::move(errors.read)};
        // glibc 2.36 declares pidfd_open without extern "C".
        handle_ = Descriptor{static_cast<int>(syscall(SYS_pidfd_open, pid_, 0))};
        if (handle_.number() < 0) {
            const int error = errno;
            reap();
            throw std::system_error{error, std::generic_category(), "pidfd_open"};
        }
    }
    ~Child() {
        if (pid_ > 0) reap();
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // Harmless while the leader has not been reaped: until then nobody else can bear its number.
    void signal_group(int signal) const { ::kill(-pid_, signal); }

    // SIGKILL to all that is left of the group, then the leader's status.
    siginfo_t reap() {
        signal_group(SIGKILL);
        siginfo_t status{};
        while (waitid(P_PID, static_cast<id_t>(pid_), &status, WEXITED) != 0 && errno == EINTR) {
        }
        pid_ = -1;
        return status;
    }

    [[nodiscard]] pid_t group() const noexcept { return pid_; }
    [[nodiscard]] const Descriptor& handle() const noexcept { return handle_; }
    [[nodiscard]] Stream& output() noexcept { return output_; }
    [[nodiscard]] Stream& errors() noexcept { return errors_; }

private:
    pid_t pid_ = -1;
    Descriptor handle_;
    Stream output_;
    Stream errors_;
};

// When to look at what a group uses, and what was found.
class Usage {
public:
    Usage(pid_t group, const ProcessLimits& limits, Clock::time_point began)
        : group_{group}, limits_{limits}, memory_at_{began}, disk_at_{began} {}

    // Looks at what is due. Why the run must end; nothing as long as all is within its limits.
    std::optional<ProcessEnd::Reason> look() {
        auto now = Clock::now();
        if (limits_.memory > 0 && now >= memory_at_) {
            if (memory_of_group(group_) > limits_.memory) return ProcessEnd::Reason::too_much_memory;
            memory_at_ = now + memory_rhythm;
        }
        if (limits_.disk > 0 && now >= disk_at_) {
            if (disk_of(limits_.disk_directory) > limits_.disk) return ProcessEnd::Reason::too_much_disk;
            const auto took = Clock::now() - now;
            disk_at_ = now + std::max<Clock::duration>(disk_rhythm, took * disk_share);
        }
        return std::nullopt;
    }
    // The next look.
    [[nodiscard]] Clock::time_point due() const {
        return std::min(limits_.memory > 0 ? memory_at_ : Clock::time_point::max(),
                        limits_.disk > 0 ? disk_at_ : Clock::time_point::max());
    }

private:
    pid_t group_;
    const ProcessLimits& limits_;
    Clock::time_point memory_at_;
    Clock::time_point disk_at_;
};

// Follows a child until its leader has exited, and sees to the limits.
class Run {
public:
    Run(Child& child, const ProcessLimits& limits, const OutputListener& listener, Clock::time_point began)
        : child_{child},
          limits_{limits},
          listener_{listener},
          usage_{child.group(), limits, began},
          next_step_at_{began + limits.time} {}

    void follow(const std::stop_token& stop) {
        const Descriptor stopped{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        require(stopped.number() >= 0, "eventfd");
        const std::stop_callback on_stop{stop, [&] { eventfd_write(stopped.number(), 1); }};
        while (!has_exited_)
            step(stopped);
    }
    // Why the run was ended; nothing when the program ended by itself.
    [[nodiscard]] std::optional<ProcessEnd::Reason> reason() const noexcept { return reason_; }
    [[nodiscard]] bool has_killed() const noexcept { return has_killed_; }

private:
    void step(const Descriptor& stopped) {
        const bool listens_to_stop = !reason_;
        std::array<pollfd, 4> awaited{pollfd{child_.handle().number(), POLLIN, 0}, child_.output().awaited(),
                                      child_.errors().awaited(),
                                      pollfd{listens_to_stop ? stopped.number() : -1, POLLIN, 0}};
        const auto next = reason_ ? next_step_at_ : std::min(next_step_at_, usage_.due());
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
        const auto timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
        require(poll(awaited.data(), awaited.size(), timeout) >= 0 || errno == EINTR, "poll");
        has_exited_ = awaited[0].revents != 0;
        // The one after the other, both: what was written before the exit is there by now.
        const bool fits = child_.output().read_available(limits_, listener_);
        if (!(child_.errors().read_available(limits_, listener_) && fits)) end(ProcessEnd::Reason::too_much_output);
        if (has_exited_) return;
        if (listens_to_stop && awaited[3].revents != 0) end(ProcessEnd::Reason::stopped);
        if (!reason_) {
            if (const auto excess = usage_.look()) end(*excess);
        }
        if (Clock::now() >= next_step_at_) end(ProcessEnd::Reason::timed_out);
    }

    void end(ProcessEnd::Reason reason) {
        if (has_exited_ && reason != ProcessEnd::Reason::too_much_output) return;
        if (reason_ && Clock::now() < next_step_at_) return;
        has_killed_ = reason_.has_value();
        child_.signal_group(has_killed_ ? SIGKILL : SIGTERM);
        next_step_at_ = Clock::now() + limits_.grace;
        if (!reason_) reason_ = reason;
    }

    Child& child_;
    const ProcessLimits& limits_;
    const OutputListener& listener_;
    Usage usage_;
    Clock::time_point next_step_at_;  // the end of the time, later of the grace
    std::optional<ProcessEnd::Reason> reason_;
    bool has_exited_ = false;
    bool has_killed_ = false;
};

std::string describe_reason(const ProcessEnd& end) {
    switch (end.reason) {
        case ProcessEnd::Reason::exited:
            return fmt::format("exited with {}", end.code);
        case ProcessEnd::Reason::killed:
            return fmt::format("was killed by signal {}", end.code);
        case ProcessEnd::Reason::timed_out:
            return "ran out of time";
        case ProcessEnd::Reason::stopped:
            return "was asked to stop";
        case ProcessEnd::Reason::too_much_output:
            return "wrote more than it may";
        case ProcessEnd::Reason::too_much_memory:
            return "took more memory than it may";
        case ProcessEnd::Reason::too_much_disk:
            return "took more disk space than it may";
    }
    return "ended";
}

}  // namespace

std::string describe(const ProcessEnd& end) {
    return describe_reason(end) + (end.was_killed ? ", and killed when it did not end" : "");
}

ProcessEnd run_process(const Command& command, const ProcessLimits& limits, const std::stop_token& stop,
                       Streams streams, const OutputListener& listener) {
    const auto began = Clock::now();
    Child child{command, streams};
    Run run{child, limits, listener, began};
    run.follow(stop);
    const auto status = child.reap();

    ProcessEnd end;
    end.reason = status.si_code == CLD_EXITED ? ProcessEnd::Reason::exited : ProcessEnd::Reason::killed;
    if (const auto reason = run.reason()) end.reason = *reason;
    end.code = status.si_status;
    end.was_killed = run.has_killed();
    end.is_cut = child.output().is_cut() || child.errors().is_cut();
    end.output = child.output().take(limits.output);
    end.errors = child.errors().take(limits.output);
    end.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
    return end;
}

}  // namespace millrace::adapters
