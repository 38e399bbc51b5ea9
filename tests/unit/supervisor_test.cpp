#include "ops/supervisor.hpp"

#include "support/log_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using ops::Reloading;
using ops::Supervisor;
using ops::Watching;

// What systemd has at the other end.
class NotifySocket {
public:
    explicit NotifySocket(const std::string& name) : name_{name} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name.front() == '@') address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0) << std::strerror(errno);
        const timeval patience{10, 0};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    ~NotifySocket() { close(socket_); }
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    // The next message, which is waited for; empty when none comes.
    std::string hear(int flags = 0) const {
        std::array<char, 256> text{};
        const auto size = recv(socket_, text.data(), text.size(), flags);
        return size > 0 ? std::string{text.data(), static_cast<std::size_t>(size)} : "";
    }
    // What has come already.
    std::size_t drain() const {
        std::size_t messages = 0;
        while (!hear(MSG_DONTWAIT).empty())
            ++messages;
        return messages;
    }

private:
    const std::string name_;
    const int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

// A worker as its supervisor sees it, which counts how often it was looked at.
class Seen {
public:
    Watching::State look() {
        const std::lock_guard lock{mutex_};
        ++looks_;
        looked_.notify_all();
        return state_;
    }
    void set(Watching::State state) {
        const std::lock_guard lock{mutex_};
        state_ = state;
    }
    // Until it has been looked at so often from now on.
    bool await_looks(int looks) {
        std::unique_lock lock{mutex_};
        return looked_.wait_for(lock, 10s, [&, wanted = looks_ + looks] { return looks_ >= wanted; });
    }

private:
    std::mutex mutex_;  // protects all below
    std::condition_variable looked_;
    Watching::State state_;
    int looks_ = 0;
};

class SupervisorTest : public ::testing::Test {
protected:
    SupervisorTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "millrace-notify-XXXXXX").string();
        directory_ = mkdtemp(pattern.data());
    }
    ~SupervisorTest() override { std::filesystem::remove_all(directory_); }

    [[nodiscard]] std::string path() const { return (directory_ / "notify").string(); }

    std::filesystem::path directory_;
    LogWatch log_;
    Seen worker_;
};

TEST_F(SupervisorTest, is_told_by_a_path_or_by_an_abstract_name) {
    for (const auto& name : {path(), "@millrace-test-" + std::to_string(getpid())}) {
        const NotifySocket systemd{name};
        Supervisor supervisor{{.socket = name}, log_.log()};
        EXPECT_TRUE(supervisor.tell_ready());
        EXPECT_EQ(systemd.hear(), "READY=1");
        EXPECT_TRUE(supervisor.tell_stopping());
        EXPECT_EQ(systemd.hear(), "STOPPING=1");
    }
    EXPECT_EQ(log_.text(), "");
}

TEST_F(SupervisorTest, hears_of_a_reload_from_its_begin_to_its_end) {
    const NotifySocket systemd{path()};
    Supervisor supervisor{{.socket = path()}, log_.log()};
    { const Reloading too_early{supervisor}; }
    EXPECT_EQ(systemd.drain(), 0U) << "its end would be taken for the end of the start";
    supervisor.tell_ready();
    EXPECT_EQ(systemd.hear(), "READY=1");
    {
        const Reloading reloading{supervisor};
        EXPECT_THAT(systemd.hear(), ::testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
        EXPECT_EQ(systemd.drain(), 0U);
    }
    EXPECT_EQ(systemd.hear(), "READY=1");
}

TEST_F(SupervisorTest, hears_of_no_readiness_after_the_end) {
    const NotifySocket systemd{path()};
    Supervisor supervisor{{.socket = path()}, log_.log()};
    EXPECT_TRUE(supervisor.tell_ready());
    EXPECT_TRUE(supervisor.tell_stopping());
    EXPECT_FALSE(supervisor.tell_ready());
    { const Reloading too_late{supervisor}; }
    EXPECT_EQ(systemd.hear(), "READY=1");
    EXPECT_EQ(systemd.hear(), "STOPPING=1");
    EXPECT_EQ(systemd.drain(), 0U);
}

TEST_F(SupervisorTest, need_not_be_there) {
    Supervisor nobody{{}, log_.log()};
    EXPECT_FALSE(nobody.tell_ready());
    EXPECT_EQ(log_.text(), "");
    for (const auto& wrong : {path(), std::string{"notify"}, std::string{"@"}, "/" + std::string(200, 'x')}) {
        LogWatch log;
        Supervisor gone{{.socket = wrong}, log.log()};
        EXPECT_FALSE(gone.tell_ready());
        EXPECT_FALSE(gone.tell_stopping());
        EXPECT_EQ(log.count("cannot tell the supervisor"), 1U) << wrong;
    }
}

TEST_F(SupervisorTest, hears_once_that_a_worker_is_ready_and_not_before) {
    const NotifySocket systemd{path()};
    Supervisor supervisor{{.socket = path()}, log_.log()};
    const Watching watching{supervisor, [&] { return worker_.look(); }};
    ASSERT_TRUE(worker_.await_looks(2));
    EXPECT_EQ(systemd.drain(), 0U);
    worker_.set({.is_ready = true, .is_alive = true});
    EXPECT_EQ(systemd.hear(), "READY=1");
    EXPECT_EQ(systemd.drain(), 0U) << "no sign of life was asked for";
}

TEST_F(SupervisorTest, hears_again_when_it_was_not_there_the_first_time) {
    Supervisor supervisor{{.socket = path()}, log_.log()};
    worker_.set({.is_ready = true, .is_alive = true});
    const Watching watching{supervisor, [&] { return worker_.look(); }};
    ASSERT_TRUE(worker_.await_looks(2));
    const NotifySocket systemd{path()};
    EXPECT_EQ(systemd.hear(), "READY=1");
}

TEST_F(SupervisorTest, hears_that_a_worker_is_alive_while_it_is) {
    const NotifySocket systemd{path()};
    Supervisor supervisor{{.socket = path(), .watchdog = 20ms}, log_.log()};
    const Watching watching{supervisor, [&] { return worker_.look(); }};
    worker_.set({.is_ready = false, .is_alive = true});
    ASSERT_TRUE(worker_.await_looks(2));
    EXPECT_EQ(systemd.drain(), 0U) << "it is watched from when it is ready";
    worker_.set({.is_ready = true, .is_alive = true});
    EXPECT_EQ(systemd.hear(), "READY=1");
    EXPECT_EQ(systemd.hear(), "WATCHDOG=1");
    EXPECT_EQ(systemd.hear(), "WATCHDOG=1");

    worker_.set({.is_ready = true, .is_alive = false});
    ASSERT_TRUE(worker_.await_looks(2));
    systemd.drain();
    ASSERT_TRUE(worker_.await_looks(5));
    EXPECT_EQ(systemd.drain(), 0U) << "its loops hang";

    worker_.set({.is_ready = true, .is_alive = true});
    EXPECT_EQ(systemd.hear(), "WATCHDOG=1");
}

}  // namespace
}  // namespace millrace::testing
