// Who we are and who the server is: each way to authenticate, and each certificate that must not do.

#include "adapters/smtp.hpp"
#include "support/smtp_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace millrace::adapters {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SmtpServer;
using Verdict = Delivery::Verdict;
using namespace std::chrono_literals;

Mail mail() {
    Mail mail;
    mail.from = {"queue@example.com", ""};
    mail.to = {"ada@example.com", ""};
    mail.subject = "Hello";
    mail.text = "Good morning.";
    mail.message_id = "<millrace.1.test@example.com>";
    return mail;
}

Delivery deliver(const SmtpSettings& settings) {
    return Smtp{settings}.deliver(mail(), {});
}

struct Way {
    const char* method;
    SmtpAuth auth;
};

constexpr Way ways[] = {{"PLAIN", SmtpAuth::plain},
                        {"LOGIN", SmtpAuth::login},
                        {"CRAM-MD5", SmtpAuth::cram_md5},
                        {"XOAUTH2", SmtpAuth::xoauth2}};

SmtpSettings as(SmtpSettings settings, SmtpAuth auth) {
    settings.auth = auth;
    if (auth == SmtpAuth::xoauth2) settings.token = std::exchange(settings.password, "");
    return settings;
}

TEST(SmtpLogin, authenticates_in_the_one_way_that_the_server_takes) {
    for (const auto& [method, auth] : ways) {
        SmtpServer server{SmtpSecurity::starttls, SmtpServer::Authentication::required, {"--auth", method}};
        const auto settings = as(server.settings(), auth);
        EXPECT_NO_THROW(check(settings));
        const auto delivery = deliver(settings);
        EXPECT_EQ(delivery.verdict, Verdict::accepted) << method << delivery.error;
        if (auth != SmtpAuth::xoauth2) {
            EXPECT_EQ(deliver(as(server.settings(), SmtpAuth::automatic)).verdict, Verdict::accepted) << method;
        }
        for (const auto& message : server.messages())
            EXPECT_EQ(message.user, SmtpServer::username) << method;
    }
}

TEST(SmtpLogin, pauses_for_a_wrong_secret_and_shows_none) {
    for (const auto& [method, auth] : ways) {
        SmtpServer server{SmtpSecurity::starttls, SmtpServer::Authentication::required, {"--auth", method}};
        auto settings = server.settings();
        settings.password = "canary-of-another";
        const auto delivery = deliver(as(settings, auth));
        EXPECT_EQ(delivery.verdict, Verdict::unserved) << method << delivery.error;
        EXPECT_THAT(delivery.error, HasSubstr("smtp.username")) << method;
        EXPECT_THAT(delivery.error + delivery.reply, Not(HasSubstr("canary"))) << method;
        EXPECT_TRUE(server.messages().empty()) << method;
    }
}

TEST(SmtpLogin, sends_nothing_to_a_server_that_takes_another_way_only) {
    for (const auto& [method, unused] : ways) {
        SmtpServer server{SmtpSecurity::starttls, SmtpServer::Authentication::required, {"--auth", method}};
        for (const auto& other : ways) {
            if (other.auth == unused) continue;
            const auto delivery = deliver(as(server.settings(), other.auth));
            EXPECT_EQ(delivery.verdict, Verdict::unserved) << method << other.method << delivery.error;
            EXPECT_THAT(delivery.error + delivery.reply, Not(HasSubstr(SmtpServer::password)));
        }
        EXPECT_TRUE(server.messages().empty()) << method;
    }
}

TEST(SmtpLogin, strikes_a_token_out_of_what_the_server_says) {
    SmtpServer server{SmtpSecurity::starttls, SmtpServer::Authentication::required, {"--auth", "XOAUTH2"}};
    server.script(R"([{"at": "mail", "reply": "550 you said canary-4f6c7b, Y2FuYXJ5LTRmNmM3Yg=="}])");
    EXPECT_EQ(deliver(as(server.settings(), SmtpAuth::xoauth2)).reply, "550 you said ***, ***");
}

TEST(SmtpLogin, sends_nothing_to_a_server_that_offers_no_way_to_log_in) {
    for (const auto security : {SmtpSecurity::none, SmtpSecurity::starttls, SmtpSecurity::tls}) {
        SmtpServer server{security};
        auto settings = server.settings();
        settings.username = "millrace";
        settings.password = "canary-4f6c7b";
        const auto delivery = deliver(settings);
        EXPECT_EQ(delivery.verdict, Verdict::unserved) << delivery.error;
        EXPECT_THAT(delivery.error, HasSubstr("offers no way to log in, and smtp.username is set"));
        EXPECT_THAT(delivery.error + delivery.reply, Not(HasSubstr("canary")));
        EXPECT_TRUE(server.messages().empty());
        EXPECT_EQ(deliver(server.settings()).verdict, Verdict::accepted) << "without a name none is needed";
    }
}

class TokenFile : public ::testing::Test {
protected:
    TokenFile() {
        write(SmtpServer::password);
        settings_.auth = SmtpAuth::xoauth2;
        settings_.password.clear();
        settings_.token_file = path_;
    }
    ~TokenFile() override { std::filesystem::remove(path_); }

    void write(std::string_view token, std::filesystem::perms mode = std::filesystem::perms{0600}) const {
        std::ofstream{path_} << token << '\n';
        std::filesystem::permissions(path_, mode);
    }

    const std::string path_ = ::testing::TempDir() + "/millrace-token-" + std::to_string(::getpid());
    SmtpServer server_{SmtpSecurity::starttls, SmtpServer::Authentication::required, {"--auth", "XOAUTH2"}};
    SmtpSettings settings_{server_.settings()};
};

TEST_F(TokenFile, is_read_again_for_each_mail) {
    write("canary-stale");
    Smtp smtp{settings_};
    const auto refused = smtp.deliver(mail(), {});
    EXPECT_EQ(refused.verdict, Verdict::unserved) << refused.error;
    EXPECT_THAT(refused.error + refused.reply, Not(HasSubstr("canary")));
    write(SmtpServer::password);
    EXPECT_EQ(smtp.deliver(mail(), {}).verdict, Verdict::accepted);
    EXPECT_EQ(smtp.deliver(mail(), {}).verdict, Verdict::accepted);
    const auto messages = server_.messages();
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_EQ(messages[0].connection, messages[1].connection) << "the same token: the same connection";
    write("canary-of-another");
    EXPECT_EQ(smtp.deliver(mail(), {}).verdict, Verdict::unserved) << "another token: another connection";
    EXPECT_EQ(server_.messages().size(), 2U);
}

TEST(SmtpLogin, takes_over_another_password_for_the_next_mail) {
    SmtpServer server{SmtpSecurity::none, SmtpServer::Authentication::required};
    auto settings = server.settings();
    settings.password = "outdated";
    Smtp smtp{settings};
    EXPECT_EQ(smtp.deliver(mail(), {}).verdict, Verdict::unserved);
    settings.password = SmtpServer::password;
    EXPECT_TRUE(smtp.adjust(settings));
    EXPECT_EQ(smtp.deliver(mail(), {}).verdict, Verdict::accepted);
    EXPECT_FALSE(smtp.adjust(settings)) << "they are the same";
    EXPECT_EQ(smtp.deliver(mail(), {}).verdict, Verdict::accepted);

    auto useless = settings;
    useless.ca_file = "/nowhere.pem";
    EXPECT_THROW(smtp.adjust(useless), std::invalid_argument);
    EXPECT_EQ(smtp.deliver(mail(), {}).verdict, Verdict::accepted);
    const auto messages = server.messages();
    ASSERT_EQ(messages.size(), 3U);
    EXPECT_EQ(messages[0].connection, messages[1].connection) << "the same settings: the same connection";
    EXPECT_EQ(messages[1].connection, messages[2].connection) << "refused settings change nothing";
}

TEST_F(TokenFile, that_is_of_no_use_pauses_and_is_named) {
    Smtp smtp{settings_};
    for (const auto& [token, mode, reason] :
         {std::tuple{"canary-shared", 0644, "chmod 600"}, std::tuple{"", 0600, "holds no token"}}) {
        write(token, std::filesystem::perms(mode));
        const auto delivery = smtp.deliver(mail(), {});
        EXPECT_EQ(delivery.verdict, Verdict::unserved);
        EXPECT_THAT(delivery.error, ::testing::AllOf(HasSubstr("smtp.token_file"), HasSubstr(reason)));
        EXPECT_THAT(delivery.error, Not(HasSubstr("canary")));
        EXPECT_THROW(Smtp{settings_}, std::invalid_argument) << "nor does a worker start with it";
    }
    std::filesystem::remove(path_);
    EXPECT_THAT(smtp.deliver(mail(), {}).error, HasSubstr("cannot be read"));
    EXPECT_EQ(smtp.count(Verdict::unserved), 3U);
    EXPECT_TRUE(server_.messages().empty());
}

TEST(SmtpCertificate, must_be_valid_and_that_of_the_host) {
    struct Row {
        std::vector<std::string> peculiarities;
        const char* error;
    };
    for (const auto& [peculiarities, error] :
         {Row{{"--expired"}, "certificate"}, Row{{"--certificate-name", "other.example"}, "certificate"},
          Row{{"--newest-tls", "TLSv1.1"}, "TLS"}}) {
        for (const auto security : {SmtpSecurity::starttls, SmtpSecurity::tls}) {
            SmtpServer server{security, SmtpServer::Authentication::required, peculiarities};
            const auto delivery = deliver(server.settings());
            EXPECT_EQ(delivery.verdict, Verdict::unserved) << peculiarities[0] << delivery.error;
            EXPECT_THAT(delivery.error, ::testing::AnyOf(HasSubstr(error), HasSubstr("SSL"))) << peculiarities[0];
            EXPECT_TRUE(server.messages().empty()) << peculiarities[0];
        }
    }
}

}  // namespace
}  // namespace millrace::adapters
