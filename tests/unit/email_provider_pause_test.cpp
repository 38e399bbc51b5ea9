// While the mail server is down, mails wait longer and longer, and the first that gets through ends it.

#include "handlers/email/provider_pause.hpp"

#include <gtest/gtest.h>

namespace millrace::handlers::email {
namespace {

using namespace std::chrono_literals;

constexpr ProviderPause::Clock::time_point start{};

TEST(EmailProviderPause, does_not_exist_while_the_server_serves) {
    ProviderPause pause{{}};
    EXPECT_EQ(pause.remaining(start), 0ms);
    EXPECT_EQ(pause.lift(), ProviderPause::State::serving);
}

TEST(EmailProviderPause, doubles_from_five_seconds_to_five_minutes) {
    ProviderPause pause{{}};
    auto now = start;
    for (auto step = 5s; step < 1000s; step *= 2) {
        const auto longest = std::min<std::chrono::milliseconds>(step, 5min);
        const auto wait = pause.extend(now, now);
        EXPECT_GE(wait, std::max<std::chrono::milliseconds>(longest * 4 / 5, 5s));
        EXPECT_LE(wait, longest * 6 / 5 + 1ms);
        EXPECT_GT(pause.remaining(now), 0ms);
        now += 6min;
        EXPECT_EQ(pause.remaining(now), 0ms);
    }
}

TEST(EmailProviderPause, grows_once_for_all_tries_under_way_together) {
    ProviderPause pause{{}};
    for (int i = 0; i < 20; ++i)
        EXPECT_LE(pause.extend(start, start + 1s + i * 1ms), 7s);
}

TEST(EmailProviderPause, never_lets_a_late_failure_return_at_once) {
    ProviderPause pause{{}};
    static_cast<void>(pause.extend(start, start + 1s));
    EXPECT_GE(pause.extend(start, start + 1h), 5s);  // it began before the pause and outlasted it
}

TEST(EmailProviderPause, ends_with_the_first_mail_that_gets_through) {
    ProviderPause pause{{}};
    static_cast<void>(pause.extend(start, start));
    static_cast<void>(pause.extend(start + 10min, start + 10min));
    EXPECT_EQ(pause.lift(), ProviderPause::State::paused);
    EXPECT_EQ(pause.remaining(start + 10min), 0ms);
    EXPECT_LE(pause.extend(start + 11min, start + 11min), 6s);  // from the first step again
}

TEST(EmailProviderPause, spreads_the_mails_that_wait) {
    ProviderPause pause{{1h, 1h}};
    static_cast<void>(pause.extend(start, start));
    auto least = pause.remaining(start);
    auto most = least;
    for (int i = 0; i < 100; ++i) {
        least = std::min(least, pause.remaining(start));
        most = std::max(most, pause.remaining(start));
    }
    EXPECT_GT(most - least, 4min);  // of twelve
}

}  // namespace
}  // namespace millrace::handlers::email
