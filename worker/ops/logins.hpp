#pragma once
// Who has logged in to the dashboard: sessions in the memory of this process, and gone with it.
//
// A session is a random id of 128 bits, which the browser shows as a cookie, and another random text that each form of
// a page bears: a page of somebody else's can make a browser send the cookie, and cannot read the text. A session ends
// an hour after it began. There are few at a time; one more ends the oldest. Too many wrong tokens, and for a while
// none is looked at.
//
// Thread rule: any thread.

#include "core/guarded.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::ops {

// Whether both are the same; takes the same time wherever they differ. An empty text is the same as none.
[[nodiscard]] bool is_same_secret(std::string_view one, std::string_view other);

class Logins {
public:
    using Clock = std::chrono::steady_clock;

    struct Session {
        std::string id;
        std::string form_secret;
        Clock::time_point ends_at;
    };
    enum class Refusal { wrong, too_often };

    static constexpr std::chrono::hours life{1};
    static constexpr std::size_t most_sessions = 32;
    static constexpr int most_failures = 10;
    static constexpr std::chrono::minutes failures_within{1};

    explicit Logins(std::function<Clock::time_point()> now = Clock::now) : now_{std::move(now)} {}

    // Another token ends all sessions. Empty: nobody can log in.
    void set_token(const std::string& token);

    [[nodiscard]] std::variant<Session, Refusal> log_in(std::string_view token);
    [[nodiscard]] std::optional<Session> find(std::string_view id) const;
    void log_out(std::string_view id);

private:
    struct State {
        std::string token;
        std::vector<Session> sessions;  // the oldest first
        Clock::time_point first_failure_at;
        int failures = 0;
    };

    const std::function<Clock::time_point()> now_;
    core::Guarded<State> state_;
};

}  // namespace millrace::ops
