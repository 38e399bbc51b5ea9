// A configuration that cannot deliver is refused at the start, not mail by mail.

#include "adapters/smtp_settings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace millrace::adapters {
namespace {

SmtpSettings sound_settings() {
    SmtpSettings settings;
    settings.host = "mail.example.com";
    settings.from = "Millrace <queue@example.com>";
    return settings;
}

template <class Change>
std::string problem_with(Change change) {
    auto settings = sound_settings();
    change(settings);
    try {
        check(settings);
    } catch (const std::invalid_argument& problem) {
        return problem.what();
    }
    return "";
}

TEST(SmtpSettings, need_only_a_host_and_a_sender) {
    EXPECT_EQ(problem_with([](SmtpSettings&) {}), "");
}

TEST(SmtpSettings, hold_a_token_or_a_password_as_the_way_to_authenticate_wants) {
    const auto with = [](SmtpAuth auth, std::string username, std::string password, std::string token) {
        return problem_with([&](SmtpSettings& s) {
            s.auth = auth;
            s.username = username;
            s.password = password;
            s.token = token;
        });
    };
    EXPECT_EQ(with(SmtpAuth::xoauth2, "u", "", "t"), "");
    for (const auto auth : {SmtpAuth::automatic, SmtpAuth::plain, SmtpAuth::login, SmtpAuth::cram_md5}) {
        EXPECT_EQ(with(auth, "u", "p", ""), "");
        EXPECT_EQ(with(auth, "u", "", "t"), "smtp.token is set but smtp.auth is not xoauth2; set both or neither");
    }
    EXPECT_EQ(with(SmtpAuth::plain, "", "", ""), "smtp.auth is set but smtp.username is not; set both or neither");
    EXPECT_EQ(with(SmtpAuth::xoauth2, "", "", "t"), "smtp.auth=xoauth2 needs smtp.username, the mailbox to send as");
    EXPECT_NE(with(SmtpAuth::xoauth2, "u", "", "").find("MILLRACE_SMTP_TOKEN"), std::string::npos);
    EXPECT_EQ(problem_with([](SmtpSettings& s) { s.token_file = "/t"; }),
              "smtp.token_file is set but smtp.auth is not xoauth2; set both or neither");
    EXPECT_NE(problem_with([](SmtpSettings& s) {
                  s.auth = SmtpAuth::xoauth2;
                  s.username = "u";
                  s.token_file = "/nonexistent";
              }).find("smtp.token_file: /nonexistent cannot be read"),
              std::string::npos);
    EXPECT_NE(with(SmtpAuth::xoauth2, "u", "p", "t").find("smtp.password"), std::string::npos);
    EXPECT_NE(problem_with([](SmtpSettings& s) {
                  s.auth = SmtpAuth::xoauth2;
                  s.username = "u";
                  s.token = "t";
                  s.security = SmtpSecurity::none;
              }).find("in the clear"),
              std::string::npos);
}

TEST(SmtpSettings, know_a_token_in_every_form_in_which_it_is_sent) {
    SmtpSettings settings;
    settings.username = "u";
    settings.token = "t";
    // "user=u^Aauth=Bearer t^A^A", as https://developers.google.com/gmail/imap/xoauth2-protocol writes it
    const std::vector<std::string> expected = {"dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==", "dA==", "t"};
    EXPECT_EQ(secrets_of(settings), expected);
}

TEST(SmtpSettings, are_refused_by_the_name_of_the_setting) {
    const auto names = [](const std::string& problem, std::string_view setting) {
        return problem.find(setting) != std::string::npos;
    };
    EXPECT_TRUE(names(problem_with([](auto& s) { s.host = ""; }), "smtp.url"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.host = "mail.example.com/x"; }), "smtp.url"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.host = "user@mail.example.com"; }), "smtp.url"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.port = 0; }), "port 0"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.username = "u"; }), "smtp.password_file"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.password = "p"; }), "smtp.username"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.ca_file = "/nonexistent"; }), "smtp.ca_file"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.from = ""; }), "smtp.from"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.from = "Millrace"; }), "smtp.from"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.from = "A\nB <a@b>"; }), "smtp.from"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.helo = "a b"; }), "smtp.helo"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.total_timeout = s.connect_timeout / 2; }), "timeout"));
    EXPECT_TRUE(names(problem_with([](auto& s) { s.reply_timeout = {}; }), "smtp.reply_timeout"));
}

TEST(SmtpSettings, do_not_send_a_password_over_a_network_in_the_clear) {
    const auto in_the_clear = [](const std::string& host) {
        return problem_with([&](SmtpSettings& s) {
            s.host = host, s.security = SmtpSecurity::none, s.username = "u", s.password = "canary-word";
        });
    };
    EXPECT_NE(in_the_clear("mail.example.com").find("smtp.security=none"), std::string::npos);
    EXPECT_EQ(in_the_clear("mail.example.com").find("canary-word"), std::string::npos);
    for (const auto* loopback : {"localhost", "127.0.0.1", "::1"})
        EXPECT_EQ(in_the_clear(loopback), "");
    EXPECT_NE(in_the_clear("127.example.com"), "");
}

TEST(SmtpSettings, become_an_address_for_libcurl) {
    auto settings = sound_settings();
    settings.helo = "worker.example.com";
    EXPECT_EQ(url_of(settings), "smtp://mail.example.com:587/worker.example.com");
    settings.security = SmtpSecurity::tls;
    settings.port = 465;
    settings.host = "2001:db8::1";
    EXPECT_EQ(url_of(settings), "smtps://[2001:db8::1]:465/worker.example.com");
}

TEST(SmtpSettings, know_every_form_in_which_the_password_travels) {
    auto settings = sound_settings();
    EXPECT_TRUE(secrets_of(settings).empty());
    settings.username = "tim";
    settings.password = "tanstaaftanstaaf";
    const auto secrets = secrets_of(settings);
    // The example of RFC 4616 4.
    EXPECT_NE(std::find(secrets.begin(), secrets.end(), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"), secrets.end());
    EXPECT_NE(std::find(secrets.begin(), secrets.end(), "tanstaaftanstaaf"), secrets.end());
}

}  // namespace
}  // namespace millrace::adapters
