#include "ops/logins.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace millrace::ops {
namespace {

std::string random_text() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::runtime_error{"no random bytes"};
    std::string text;
    for (const auto byte : bytes)
        text.append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
    return text;
}

}  // namespace

bool is_same_secret(std::string_view one, std::string_view other) {
    return !one.empty() && one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

void Logins::set_token(const std::string& token) {
    state_.with([&](State& state) {
        if (state.token == token) return;
        state = {.token = token, .sessions = {}, .first_failure_at = {}};
    });
}

std::variant<Logins::Session, Logins::Refusal> Logins::log_in(std::string_view token) {
    const auto now = now_();
    return state_.with([&](State& state) -> std::variant<Session, Refusal> {
        if (now - state.first_failure_at >= failures_within) state.failures = 0;
        if (state.failures >= most_failures) return Refusal::too_often;
        if (!is_same_secret(state.token, token)) {
            if (state.failures++ == 0) state.first_failure_at = now;
            return Refusal::wrong;
        }
        auto& sessions = state.sessions;
        sessions.erase(std::remove_if(sessions.begin(), sessions.end(),
                                      [&](const Session& session) { return session.ends_at <= now; }),
                       sessions.end());
        if (sessions.size() == most_sessions) sessions.erase(sessions.begin());
        sessions.push_back({.id = random_text(), .form_secret = random_text(), .ends_at = now + life});
        return sessions.back();
    });
}

std::optional<Logins::Session> Logins::find(std::string_view id) const {
    const auto now = now_();
    return state_.with([&](const State& state) -> std::optional<Session> {
        std::optional<Session> found;
        for (const auto& session : state.sessions)
            if (is_same_secret(session.id, id) && session.ends_at > now) found = session;
        return found;
    });
}

void Logins::log_out(std::string_view id) {
    state_.with([&](State& state) {
        const auto is_it = [&](const Session& session) { return is_same_secret(session.id, id); };
        state.sessions.erase(std::remove_if(state.sessions.begin(), state.sessions.end(), is_it), state.sessions.end());
    });
}

}  // namespace millrace::ops
