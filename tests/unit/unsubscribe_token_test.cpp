// Whoever holds a token may end one subscription, and nobody can make or change one without the secret.

#include "adapters/unsubscribe_token.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace millrace::adapters {
namespace {

const std::string secret(32, 's');
const std::string other_secret(32, 't');
const Subscription ada{"ada", "cl.comment.created"};

std::string read_by(const UnsubscribeTokens& tokens, std::string_view token) {
    const auto read = tokens.read(token);
    return read ? read->username + "|" + read->event_type : "refused";
}

TEST(UnsubscribeToken, names_the_user_and_the_event_type) {
    const UnsubscribeTokens tokens{{secret}};
    EXPECT_EQ(read_by(tokens, tokens.sign(ada)), "ada|cl.comment.created");
    for (const std::string name : {"a", "Jürgen Müller", "a.b.c", "..", "'; drop table x; --", "a\nb", "\xff\xfe"}) {
        EXPECT_EQ(read_by(tokens, tokens.sign({name, "x"})), name + "|x");
        EXPECT_EQ(read_by(tokens, tokens.sign({"x", name})), "x|" + name);
    }
}

// Computed with Python's hmac, so that a token in a mail of last year is read after any change here.
TEST(UnsubscribeToken, is_the_same_for_ever) {
    EXPECT_EQ(UnsubscribeTokens{{secret}}.sign(ada),
              "v1.YWRhAGNsLmNvbW1lbnQuY3JlYXRlZA.HJvWmXrqgribcpS5IShOPOVFfEC2yEFMt_MKnZUtnBU");
}

TEST(UnsubscribeToken, stands_in_an_address_as_it_is) {
    const UnsubscribeTokens tokens{{secret}};
    for (int i = 0; i < 256; ++i) {
        const auto token = tokens.sign({"u" + std::to_string(i), std::string(1, static_cast<char>(i | 1)) + "?"});
        EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
                  std::string::npos);
    }
}

TEST(UnsubscribeToken, is_refused_when_a_single_bit_has_changed) {
    const UnsubscribeTokens tokens{{secret}};
    const auto token = tokens.sign(ada);
    for (std::size_t i = 0; i < token.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            auto forged = token;
            forged[i] = static_cast<char>(forged[i] ^ (1 << bit));
            EXPECT_EQ(read_by(tokens, forged), "refused") << forged;
        }
        EXPECT_EQ(read_by(tokens, token.substr(0, i)), "refused");
        EXPECT_EQ(read_by(tokens, token.substr(i + 1)), "refused");
    }
    EXPECT_EQ(read_by(tokens, token + "A"), "refused");
    EXPECT_EQ(read_by(tokens, token + "="), "refused");
    EXPECT_EQ(read_by(tokens, token + "\n"), "refused");
}

TEST(UnsubscribeToken, cannot_be_put_together_from_others) {
    const UnsubscribeTokens tokens{{secret}};
    const auto one = tokens.sign(ada);
    const auto two = tokens.sign({"eve", "cl.comment.created"});
    const auto seal_of = [](const std::string& token) { return token.substr(token.rfind('.')); };
    const auto subject_of = [](const std::string& token) { return token.substr(0, token.rfind('.')); };
    EXPECT_EQ(read_by(tokens, subject_of(one) + seal_of(two)), "refused");
    EXPECT_EQ(read_by(tokens, "v2" + one.substr(2)), "refused");
    // The boundary between the two is part of what is sealed.
    EXPECT_NE(tokens.sign({"ab", "c"}), tokens.sign({"a", "bc"}));
    for (const std::string text : {"", ".", "..", "v1", "v1.", "v1..", "v1.YQ.", "v1.YQ.YQ"}) {
        EXPECT_EQ(read_by(tokens, text), "refused") << text;
        EXPECT_EQ(read_by(tokens, text + std::string(43, 'A')), "refused") << text;
        EXPECT_EQ(read_by(tokens, text + "." + std::string(43, 'A')), "refused") << text;
    }
    EXPECT_EQ(read_by(tokens, std::string(1'000'000, 'A')), "refused");
}

TEST(UnsubscribeToken, of_an_older_secret_is_believed_while_the_secret_is_listed) {
    const UnsubscribeTokens old{{secret}};
    const UnsubscribeTokens rotated{{other_secret, secret}};
    const UnsubscribeTokens later{{other_secret}};
    EXPECT_EQ(read_by(rotated, old.sign(ada)), "ada|cl.comment.created");
    EXPECT_EQ(rotated.sign(ada), later.sign(ada));
    EXPECT_EQ(read_by(later, old.sign(ada)), "refused");
    EXPECT_EQ(read_by(old, rotated.sign(ada)), "refused");
}

TEST(UnsubscribeToken, has_limits) {
    const UnsubscribeTokens tokens{{secret}};
    const auto longest = Subscription{std::string(300, 'u'), std::string(150, 't')};
    EXPECT_EQ(read_by(tokens, tokens.sign(longest)), longest.username + "|" + longest.event_type);
    EXPECT_THROW((void)tokens.sign({std::string(301, 'u'), std::string(150, 't')}), std::invalid_argument);
    EXPECT_THROW((void)tokens.sign({"", "t"}), std::invalid_argument);
    EXPECT_THROW((void)tokens.sign({"u", ""}), std::invalid_argument);
    EXPECT_THROW((void)tokens.sign({std::string("u\0v", 3), "t"}), std::invalid_argument);
    EXPECT_THROW((void)tokens.sign({"u", std::string("t\0", 2)}), std::invalid_argument);
}

TEST(UnsubscribeToken, needs_a_secret_that_cannot_be_guessed) {
    const auto problem_of = [](std::vector<std::string> secrets) -> std::string {
        try {
            const UnsubscribeTokens tokens{std::move(secrets)};
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(problem_of({}), "unsubscribe.secrets: 0 are given; give 1 to 10, separated by commas, the newest first");
    EXPECT_EQ(problem_of({secret, "hunter2"}),
              "unsubscribe.secrets: number 2 has 7 bytes; use 32 to 1024, as `openssl rand -hex 32` writes them");
    EXPECT_NE(problem_of({std::string(1025, 's')}), "");
    EXPECT_NE(problem_of(std::vector<std::string>(11, secret)), "");
}

}  // namespace
}  // namespace millrace::adapters
