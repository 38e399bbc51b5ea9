// The table of outcomes, step by step: at each of them the server refuses, hangs up, does not answer, or answers late.

#include "adapters/mime.hpp"
#include "adapters/smtp.hpp"
#include "support/smtp_server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace millrace::adapters {
namespace {

using testing::ReceivedMail;
using testing::SmtpServer;
using Verdict = Delivery::Verdict;
using namespace std::chrono_literals;

Mail mail_to(std::string recipient) {
    Mail mail;
    mail.from = {"queue@example.com", "Millrace"};
    mail.to = {std::move(recipient), ""};
    mail.subject = "Hello";
    mail.text = "Good morning.";
    mail.message_id = "<millrace.1.test@example.com>";
    return mail;
}

class SmtpSteps : public ::testing::Test {
protected:
    Delivery deliver_under(std::string_view at, std::string_view fault) {
        server_.forget_messages();
        server_.script(fmt::format(R"([{{"at": "{}", {}}}])", at, fault));
        return Smtp{settings_}.deliver(mail_to("ada@example.com"), {});
    }

    static constexpr std::array before_the_message{"connect", "tls", "auth", "mail", "rcpt"};
    // Of the recipient, the server may be silent because of this mail.
    static Verdict when_gone(std::string_view at) { return at == "rcpt" ? Verdict::broken_off : Verdict::unserved; }

    SmtpServer server_{SmtpSecurity::starttls, SmtpServer::Authentication::required};
    SmtpSettings settings_{server_.settings()};
};

TEST_F(SmtpSteps, lose_nothing_when_the_connection_drops) {
    for (const auto* at : before_the_message) {
        const auto delivery = deliver_under(at, R"("drop": true)");
        EXPECT_EQ(delivery.verdict, when_gone(at)) << at << delivery.error;
        EXPECT_TRUE(server_.messages().empty()) << at;
    }
    // Whether the message was whole when the connection broke is known to the server alone.
    const auto during = deliver_under("message", R"("drop": true)");
    EXPECT_EQ(during.verdict, Verdict::ambiguous) << during.error;
    EXPECT_EQ(during.code, 354);
    EXPECT_TRUE(server_.messages().empty());
    const auto behind = deliver_under("data", R"("drop": true)");
    EXPECT_EQ(behind.verdict, Verdict::ambiguous) << behind.error;
    EXPECT_EQ(behind.code, 354);
    EXPECT_EQ(server_.messages().size(), 1U);
}

TEST_F(SmtpSteps, lose_nothing_when_no_answer_comes) {
    settings_.connect_timeout = settings_.total_timeout = settings_.reply_timeout = 700ms;
    for (const auto* at : before_the_message) {
        const auto delivery = deliver_under(at, R"("hold": true)");
        EXPECT_EQ(delivery.verdict, when_gone(at)) << at << delivery.error;
        EXPECT_TRUE(server_.messages().empty()) << at;
    }
    EXPECT_EQ(deliver_under("data", R"("hold": true)").verdict, Verdict::ambiguous);
    EXPECT_EQ(server_.messages().size(), 1U);
}

TEST_F(SmtpSteps, wait_for_answers_that_are_slow) {
    for (const auto* at : {"connect", "tls", "auth", "mail", "rcpt", "message", "data"}) {
        const auto delivery = deliver_under(at, R"("delay": 300)");
        EXPECT_EQ(delivery.verdict, Verdict::accepted) << at << delivery.error;
        EXPECT_EQ(server_.messages().size(), 1U) << at;
    }
}

// RFC 5321 4.2.1: what the first digit says; 530 and 535 speak of the session wherever they come, and 421 before the
// recipient.
TEST_F(SmtpSteps, end_by_what_the_server_says_and_where) {
    struct Row {
        const char* at;
        const char* reply;
        Verdict verdict;
    };
    for (const auto& [at, reply, verdict] :
         {Row{"connect", "421 4.3.2 busy", Verdict::unserved}, Row{"connect", "554 5.7.1 no", Verdict::unserved},
          Row{"auth", "421 4.3.2 busy", Verdict::unserved},    Row{"auth", "454 4.7.0 later", Verdict::unserved},
          Row{"auth", "535 5.7.8 no", Verdict::unserved},      Row{"auth", "534 5.7.9 weak", Verdict::unserved},
          Row{"mail", "421 4.3.2 busy", Verdict::unserved},    Row{"mail", "450 4.7.1 grey", Verdict::deferred},
          Row{"mail", "530 5.7.0 login", Verdict::unserved},   Row{"mail", "535 5.7.8 no", Verdict::unserved},
          Row{"mail", "550 5.7.1 no", Verdict::unserved},      Row{"mail", "552 5.3.4 large", Verdict::rejected},
          Row{"rcpt", "421 4.3.2 busy", Verdict::broken_off},  Row{"rcpt", "451 4.3.0 later", Verdict::deferred},
          Row{"rcpt", "530 5.7.0 login", Verdict::unserved},   Row{"rcpt", "535 5.7.8 no", Verdict::unserved},
          Row{"rcpt", "550 5.1.1 nobody", Verdict::rejected},  Row{"rcpt", "553 5.1.3 name", Verdict::rejected},
          Row{"data", "421 4.3.2 busy", Verdict::broken_off},  Row{"data", "451 4.3.0 later", Verdict::deferred},
          Row{"data", "530 5.7.0 login", Verdict::unserved},   Row{"data", "554 5.6.0 spam", Verdict::rejected}}) {
        const auto delivery = deliver_under(at, fmt::format(R"("reply": "{}")", reply));
        EXPECT_EQ(delivery.verdict, verdict) << at << reply << delivery.error;
        EXPECT_EQ(delivery.reply, reply) << at;
        EXPECT_TRUE(server_.messages().empty()) << at << reply;
    }
}

TEST_F(SmtpSteps, bring_files_and_the_unsubscribe_address) {
    auto mail = mail_to("ada@bücher.example");
    mail.from = {"queue@bücher.example", "Bücher"};
    mail.html = "<p>Good morning.</p>";
    mail.unsubscribe_url = "https://example.com/u?t=v1.YQBi." + std::string(800, 'x');
    std::string every_byte;
    for (int i = 0; i < 256; ++i)
        every_byte += static_cast<char>(i);
    mail.attachments = {{"Rechnung für März \"2026\".pdf", "application/pdf", every_byte},
                        {"a b.csv", "text/csv; charset=utf-8", "ä;b\r\n"},
                        {std::string(255, 'n'), "image/png", ""},
                        {"日本語の長い名前のファイルです、とても長い、とても長い.txt", "application/x-y", "z"}};
    ASSERT_EQ(mail_problem(mail), std::nullopt);
    const auto delivery = Smtp{settings_}.deliver(mail, {});
    ASSERT_EQ(delivery.verdict, Verdict::accepted) << delivery.error;

    const auto received = server_.messages().at(0);
    EXPECT_EQ(received.text, "Good morning.");
    EXPECT_EQ(received.html, "<p>Good morning.</p>");
    EXPECT_THAT(received.headers, ::testing::Contains("To: ada@xn--bcher-kva.example"));
    EXPECT_EQ(received.envelope_to, std::vector<std::string>{"ada@bücher.example"});  // as the server decodes it
    EXPECT_THAT(received.headers, ::testing::Contains("List-Unsubscribe: <" + mail.unsubscribe_url + ">"));
    EXPECT_THAT(received.headers, ::testing::Contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
    EXPECT_THAT(received.headers, ::testing::Contains(::testing::StartsWith("Content-Type: multipart/mixed")));
    ASSERT_EQ(received.attachments.size(), 4U);
    EXPECT_EQ(received.attachments[0],
              (ReceivedMail::File{mail.attachments[0].name, "application/pdf", "attachment", base64(every_byte)}));
    EXPECT_EQ(received.attachments[1], (ReceivedMail::File{"a b.csv", "text/csv", "attachment", base64("ä;b\r\n")}));
    EXPECT_EQ(received.attachments[2].name, mail.attachments[2].name);
    EXPECT_EQ(received.attachments[2].content, "");
    EXPECT_EQ(received.attachments[3].name, mail.attachments[3].name);
    EXPECT_TRUE(std::all_of(received.raw.begin(), received.raw.end(), [](char c) { return c > 0 && c < 0x7f; }));
}

TEST_F(SmtpSteps, carry_ten_files) {
    auto mail = mail_to("ada@example.com");
    mail.attachments.assign(10, {"a.bin", "application/octet-stream", std::string(100'000, '\xa5')});
    ASSERT_EQ(mail_problem(mail), std::nullopt);
    const auto delivery = Smtp{settings_}.deliver(mail, {});
    ASSERT_EQ(delivery.verdict, Verdict::accepted) << delivery.error;
    EXPECT_EQ(server_.messages().at(0).attachments.size(), 10U);
}

// What a hostile name, type or address could add if it were not refused.
TEST_F(SmtpSteps, carry_strange_names_as_names) {
    auto mail = mail_to("ada@example.com");
    const auto from_right_to_left = std::string{"a."} + '\xe2' + '\x80' + '\xae' + "fdp";
    const std::vector<std::string> names{"a\"; x=\"y", "a; filename=b", "a*0*=UTF-8''b",   "%41",
                                         "a'b'c",      " a ",           from_right_to_left};
    for (const auto& name : names) {
        mail.attachments = {{name, "text/plain", "x"}};
        ASSERT_EQ(mail_problem(mail), std::nullopt) << name;
        server_.forget_messages();
        ASSERT_EQ(Smtp{settings_}.deliver(mail, {}).verdict, Verdict::accepted) << name;
        const auto received = server_.messages().at(0);
        ASSERT_EQ(received.attachments.size(), 1U) << name;
        EXPECT_EQ(received.attachments[0].name, name);
    }
}

}  // namespace
}  // namespace millrace::adapters
