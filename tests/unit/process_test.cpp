#include "adapters/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <future>
#include <system_error>

namespace millrace::adapters {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using Reason = ProcessEnd::Reason;

Command script(const std::string& text) {
    return {{"sh", "-c", text}, {"PATH=/usr/bin:/bin", "GREETING=hello"}, "/"};
}

ProcessEnd run(const Command& command, const ProcessLimits& limits = {}, Streams streams = Streams::apart) {
    return run_process(command, limits, {}, streams);
}

TEST(Process, tells_status_and_both_streams_apart) {
    const auto end = run(script("echo out; echo err >&2; exit 3"));
    EXPECT_EQ(end.reason, Reason::exited);
    EXPECT_EQ(end.code, 3);
    EXPECT_EQ(end.output, "out\n");
    EXPECT_EQ(end.errors, "err\n");
    EXPECT_EQ(describe(end), "exited with 3");
}

TEST(Process, keeps_the_order_of_two_streams_that_are_one) {
    const auto end = run(script("echo a; echo b >&2; echo c"), {}, Streams::together);
    EXPECT_EQ(end.output, "a\nb\nc\n");
    EXPECT_EQ(end.errors, "");
}

TEST(Process, hands_arguments_over_as_they_are) {
    const auto end = run({{"printf", "%s|", "a b", "$HOME;`id`", "*"}, {}, "/"});
    EXPECT_EQ(end.output, "a b|$HOME;`id`|*|");
}

TEST(Process, gives_no_variable_but_those_named_and_an_empty_input) {
    ::setenv("SECRET_OF_THE_WORKER", "canary", 1);
    const auto end = run({{"env"}, {"A=1"}, "/"});
    EXPECT_EQ(end.output, "A=1\n");
    EXPECT_EQ(run({{"cat"}, {}, "/"}).output, "");
}

TEST(Process, gives_no_descriptor_but_the_three) {
    const int leaked = open("/dev/null", O_RDONLY);                             // without O_CLOEXEC
    EXPECT_EQ(run({{"ls", "/proc/self/fd"}, {}, "/"}).output, "0\n1\n2\n3\n");  // 3 is the directory that ls reads;
    close(leaked);
}

TEST(Process, starts_in_its_directory) {
    auto command = script("pwd");
    command.directory = "/usr/bin";
    EXPECT_EQ(run(command).output, "/usr/bin\n");
}

TEST(Process, gives_a_program_the_signals_of_a_fresh_one) {
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const auto end = run(script("kill -TERM $$; echo survived"));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    EXPECT_EQ(end.reason, Reason::killed);
    EXPECT_EQ(end.code, SIGTERM);
    EXPECT_EQ(end.output, "");
}

TEST(Process, says_that_a_program_does_not_exist) {
    try {
        run({{"no-such-program"}, {}, "/"});
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
        EXPECT_STREQ(error.what(), "cannot start no-such-program: No such file or directory");
    }
}

TEST(Process, ends_a_program_that_runs_out_of_time) {
    const auto end = run(script("echo begun; sleep 60"), {.time = 1s});
    EXPECT_EQ(end.reason, Reason::timed_out);
    EXPECT_EQ(end.output, "begun\n");
    EXPECT_GE(end.took, 1s);
    EXPECT_LT(end.took, 10s);
}

TEST(Process, kills_after_the_grace_what_does_not_heed_the_first_signal) {
    const auto end = run(script("trap 'echo heard' TERM; while :; do sleep 0.05; done"), {.time = 1s, .grace = 2s});
    EXPECT_EQ(end.reason, Reason::timed_out);
    EXPECT_EQ(end.output, "heard\n");
    EXPECT_EQ(describe(end), "ran out of time, and killed when it did not end");
    EXPECT_GE(end.took, 3s);
    EXPECT_LT(end.took, 10s);
}

TEST(Process, lets_a_program_tidy_up_within_the_grace) {
    const auto end = run(script("trap 'echo tidy; exit 0' TERM; while :; do sleep 0.05; done"), {.time = 1s});
    EXPECT_EQ(end.reason, Reason::timed_out);
    EXPECT_EQ(end.output, "tidy\n");
    EXPECT_EQ(describe(end), "ran out of time");
}

// A pipe whose last writer is the descendant tells when that is gone, without asking again and again.
class Descendant : public ::testing::Test {
protected:
    void SetUp() override {
        fifo_ = ::testing::TempDir() + "process_test_" + std::to_string(getpid());
        ASSERT_EQ(mkfifo(fifo_.c_str(), 0600), 0);
        reader_ = open(fifo_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
    void TearDown() override {
        close(reader_);
        unlink(fifo_.c_str());
    }
    [[nodiscard]] bool is_gone() const {
        pollfd awaited{reader_, POLLIN, 0};
        return poll(&awaited, 1, 10'000) == 1 && (awaited.revents & POLLHUP) != 0;
    }
    std::string fifo_;
    int reader_ = -1;
};

TEST_F(Descendant, dies_with_a_leader_that_ran_out_of_time) {
    run(script("(trap '' TERM; exec sleep 60) 3>" + fifo_ + " & wait"), {.time = 1s, .grace = 200ms});
    EXPECT_TRUE(is_gone());
}

TEST_F(Descendant, that_an_exited_leader_left_behind_is_killed_and_not_waited_for) {
    const auto end = run(script("exec 3>" + fifo_ + "; sleep 60 & echo done"));
    EXPECT_EQ(end.reason, Reason::exited);
    EXPECT_EQ(end.output, "done\n");
    EXPECT_LT(end.took, 10s);
    EXPECT_TRUE(is_gone());
}

TEST(Process, ends_when_it_is_asked_to_stop) {
    std::stop_source stop;
    auto running =
        std::async(std::launch::async, [&] { return run_process(script("sleep 60"), {}, stop.get_token()); });
    stop.request_stop();
    const auto end = running.get();
    EXPECT_EQ(end.reason, Reason::stopped);
    EXPECT_LT(end.took, 10s);
}

TEST(Process, ends_a_program_that_writes_more_than_it_may) {
    const auto end = run(script("yes"), {.output = 1000});
    EXPECT_EQ(end.reason, Reason::too_much_output);
    EXPECT_EQ(end.output.size(), 1000);
    EXPECT_EQ(end.output.substr(0, 4), "y\ny\n");
}

TEST(Process, refuses_too_much_output_of_a_program_that_has_already_exited) {
    EXPECT_EQ(run(script("printf 12345"), {.output = 4}).reason, Reason::too_much_output);
    EXPECT_EQ(run(script("printf 1234"), {.output = 4}).reason, Reason::exited);
}

TEST(Process, keeps_the_end_of_a_long_log_when_asked_to) {
    const auto end = run(script("seq 1 200000"), {.output = 13, .excess = ProcessLimits::Excess::drops_the_beginning});
    EXPECT_EQ(end.reason, Reason::exited);
    EXPECT_EQ(end.output, "199999\n200000\n"s.substr(1));
    EXPECT_TRUE(end.is_cut);
}

TEST(Process, watches_the_time_of_a_program_that_never_stops_writing) {
    const auto end =
        run(script("yes"), {.time = 300ms, .output = 100, .excess = ProcessLimits::Excess::drops_the_beginning});
    EXPECT_EQ(end.reason, Reason::timed_out);
    EXPECT_TRUE(end.is_cut);
}

TEST(Process, runs_many_side_by_side) {
    std::vector<std::future<ProcessEnd>> runs;
    runs.reserve(16);
    for (int number = 0; number < 16; ++number) {
        runs.push_back(
            std::async(std::launch::async, [number] { return run(script("echo " + std::to_string(number))); }));
    }
    for (int number = 0; number < 16; ++number) {
        EXPECT_EQ(runs[static_cast<std::size_t>(number)].get().output, std::to_string(number) + "\n");
    }
}

}  // namespace
}  // namespace millrace::adapters
