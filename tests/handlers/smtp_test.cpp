// One mail to a real server: what arrives, and what is made of everything that can go wrong.

#include "adapters/smtp.hpp"
#include "support/smtp_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace millrace::adapters {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SmtpServer;
using Clock = std::chrono::steady_clock;
using Verdict = Delivery::Verdict;
using namespace std::chrono_literals;

Mail mail_to(std::string recipient) {
    Mail mail;
    mail.from = {"queue@example.com", "Millrace"};
    mail.to = {std::move(recipient), ""};
    mail.subject = "Hello";
    mail.text = "Good morning.";
    mail.message_id = "<millrace.1.test@example.com>";
    mail.date = std::chrono::system_clock::from_time_t(1709210096);
    return mail;
}

template <class Condition>
void await(Condition condition) {
    for (const auto deadline = Clock::now() + 30s; !condition();)
        ASSERT_LT(Clock::now(), deadline);
}

class SmtpOf : public ::testing::Test {
protected:
    explicit SmtpOf(SmtpSecurity security, SmtpServer::Authentication authentication = SmtpServer::Authentication::none)
        : server_{security, authentication}, settings_{server_.settings()} {}

    // Its own client, so that a test decides whether connections are shared.
    Delivery deliver(const Mail& mail) { return Smtp{settings_}.deliver(mail, {}); }

    Delivery deliver_under(std::string_view faults) {
        server_.script(faults);
        return deliver(mail_to("ada@example.com"));
    }

    SmtpServer server_;
    SmtpSettings settings_;
};

class SmtpDelivery : public SmtpOf {
protected:
    SmtpDelivery() : SmtpOf{SmtpSecurity::none} {}
};

class SmtpOverStarttls : public SmtpOf {
protected:
    SmtpOverStarttls() : SmtpOf{SmtpSecurity::starttls, SmtpServer::Authentication::required} {}
};

class SmtpOverTls : public SmtpOf {
protected:
    SmtpOverTls() : SmtpOf{SmtpSecurity::tls} {}
};

// What arrives

TEST_F(SmtpDelivery, delivers_both_bodies_and_says_what_the_server_replied) {
    auto mail = mail_to("ada@example.com");
    mail.html = "<p>Good morning.</p>";
    mail.reply_to = Mailbox{"list@example.com", "The list"};
    const auto delivery = deliver(mail);
    EXPECT_EQ(delivery.verdict, Verdict::accepted) << delivery.error;
    EXPECT_EQ(delivery.code, 250);
    EXPECT_EQ(delivery.reply, "250 2.0.0 accepted as 1");
    EXPECT_EQ(delivery.error, "");

    const auto messages = server_.messages();
    ASSERT_EQ(messages.size(), 1U);
    const auto& received = messages.front();
    using Address = testing::ReceivedMail::Address;
    EXPECT_EQ(received.from, (std::vector<Address>{{"queue@example.com", "Millrace"}}));
    EXPECT_EQ(received.to, (std::vector<Address>{{"ada@example.com", ""}}));
    EXPECT_EQ(received.reply_to, (std::vector<Address>{{"list@example.com", "The list"}}));
    EXPECT_EQ(received.subject, "Hello");
    EXPECT_EQ(received.text, "Good morning.");
    EXPECT_EQ(received.html, "<p>Good morning.</p>");
    EXPECT_EQ(received.message_id, "<millrace.1.test@example.com>");
    EXPECT_EQ(received.date, "2024-02-29T12:34:56.000Z");
    EXPECT_EQ(received.helo, "worker.example.com");
    EXPECT_EQ(received.envelope_from, "queue@example.com");
    EXPECT_EQ(received.envelope_to, std::vector<std::string>{"ada@example.com"});
    EXPECT_THAT(received.headers, ::testing::Contains("Auto-Submitted: auto-generated"));
    EXPECT_THAT(received.headers, ::testing::Contains("MIME-Version: 1.0"));
    EXPECT_THAT(received.headers, ::testing::Contains(::testing::StartsWith("Content-Type: multipart/alternative")));
}

TEST_F(SmtpDelivery, brings_text_of_any_kind_unchanged) {
    const std::string long_line(5000, 'x');
    const std::string subjects[] = {
        "Grüße aus Köln",
        "日本語の件名はとても長いので何度も折り返されなければなりませんが、文字は壊れてはいけません",
        "🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊🌊",
        "=?UTF-8?Q?not_encoded?=",
        "Re: [x] \"y\" <z@w>, (a; b) \\ c",
        std::string(998, 's'),
        "مرحبا abc"};
    const std::string names[] = {"Jürgen Müller", "Lovelace, Ada", R"(A "B" \ C)", "<eve@example.com>",
                                 "日本 太郎",     "a@b, c@d",      "=?x?=",        std::string(256, 'n')};
    const std::string bodies[] = {".",
                                  "..\n.\n\n.x",
                                  "line\n.\nQUIT\n",
                                  "From me\nFrom you",
                                  "trailing \nspaces\t\n = equals =3D",
                                  long_line,
                                  "Grüße\n日本語\n🌊",
                                  "\n\nblank\n\n\nlines",
                                  "--boundary\n--boundary--"};
    Smtp smtp{settings_};
    for (std::size_t i = 0; i < 9; ++i) {
        auto mail = mail_to("ada@example.com");
        mail.subject = subjects[i % std::size(subjects)];
        mail.to.name = names[i % std::size(names)];
        mail.from.name = names[(i + 3) % std::size(names)];
        mail.text = bodies[i];
        mail.html = "<pre>" + bodies[(i + 4) % std::size(bodies)] + "</pre>";
        ASSERT_EQ(mail_problem(mail), std::nullopt);
        ASSERT_EQ(smtp.deliver(mail, {}).verdict, Verdict::accepted);
        const auto received = server_.messages().back();
        EXPECT_EQ(received.subject, mail.subject);
        ASSERT_EQ(received.to.size(), 1U);
        EXPECT_EQ(received.to[0].name, mail.to.name);
        EXPECT_EQ(received.to[0].address, mail.to.address);
        ASSERT_EQ(received.from.size(), 1U);
        EXPECT_EQ(received.from[0].name, mail.from.name);
        EXPECT_EQ(received.from[0].address, mail.from.address);
        EXPECT_EQ(received.text, mail.text);
        EXPECT_EQ(received.html, mail.html);
        EXPECT_EQ(received.envelope_to, std::vector<std::string>{"ada@example.com"});
    }
}

TEST_F(SmtpDelivery, sends_what_the_oldest_server_can_carry) {
    auto mail = mail_to("ada@example.com");
    mail.subject = "Grüße";
    mail.text = "one line\nand " + std::string(5000, 'x') + " Grüße";
    ASSERT_EQ(deliver(mail).verdict, Verdict::accepted);
    const auto raw = server_.messages().at(0).raw;
    EXPECT_THAT(raw, HasSubstr("\r\none line\r\nand x"));  // line ends are sent as such, not as characters
    std::istringstream lines{raw};
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 999U);  // RFC 5321 4.5.3.1.6: 998 and CRLF, of which getline took a half
        EXPECT_EQ(line.back(), '\r');
    }
    EXPECT_TRUE(std::all_of(raw.begin(), raw.end(), [](char c) { return c > 0 && c < 0x7f; }));
}

TEST_F(SmtpDelivery, delivers_a_mail_of_one_mebibyte) {
    auto mail = mail_to("ada@example.com");
    while (mail.text.size() + 64 <= max_body)
        mail.text += "Sixty-three characters of nothing in particular, and a newline\n\n";
    mail.text.resize(mail.text.find_last_not_of('\n') + 1);
    ASSERT_EQ(mail_problem(mail), std::nullopt);
    EXPECT_EQ(deliver(mail).verdict, Verdict::accepted);
    EXPECT_EQ(server_.messages().at(0).text, mail.text);
}

// What the server refuses

struct Row {
    const char* faults;
    Verdict verdict;
    int code;
    const char* error;
};

TEST_F(SmtpDelivery, tells_the_mail_s_faults_from_the_server_s) {
    const Row rows[] = {
        {R"([{"at": "connect", "reply": "421 4.3.2 too busy"}])", Verdict::unserved, 421, "4.3.2 too busy"},
        {R"([{"at": "connect", "reply": "554 5.7.1 blocked"}])", Verdict::unserved, 554, "5.7.1 blocked"},
        {R"([{"at": "mail", "reply": "450 4.7.1 greylisted"}])", Verdict::deferred, 450,
         "put off the sender: 450 4.7.1"},
        {R"([{"at": "mail", "reply": "451 4.3.0 try later"}])", Verdict::deferred, 451,
         "put off the sender: 451 4.3.0"},
        {R"([{"at": "mail", "reply": "530 5.7.0 authenticate"}])", Verdict::unserved, 530, "530 5.7.0 authenticate"},
        {R"([{"at": "mail", "reply": "550 5.7.1 not allowed"}])", Verdict::unserved, 550, "550 5.7.1 not allowed"},
        {R"([{"at": "mail", "reply": "552 5.3.4 too large"}])", Verdict::rejected, 552,
         "refused the sender: 552 5.3.4"},
        {R"([{"at": "rcpt", "reply": "421 4.3.2 going down"}])", Verdict::broken_off, 421,
         "broke off at the recipient: 421 4.3.2 going down"},
        {R"([{"at": "rcpt", "reply": "450 4.2.1 busy"}])", Verdict::deferred, 450,
         "put off the recipient: 450 4.2.1 busy"},
        {R"([{"at": "rcpt", "reply": "451 4.3.0 later"}])", Verdict::deferred, 451, "put off the recipient: 451 4.3.0"},
        {R"([{"at": "rcpt", "reply": "530 5.7.0 STARTTLS first"}])", Verdict::unserved, 530,
         "530 5.7.0 STARTTLS first"},
        {R"([{"at": "rcpt", "reply": "550 5.1.1 nobody"}])", Verdict::rejected, 550,
         "refused the recipient: 550 5.1.1 nobody"},
        {R"([{"at": "data", "reply": "452 4.2.2 full"}])", Verdict::deferred, 452,
         "put off the message: 452 4.2.2 full"},
        {R"([{"at": "data", "reply": "554 5.6.0 spam"}])", Verdict::rejected, 554,
         "refused the message: 554 5.6.0 spam"},
        {R"([{"at": "data", "reply": "421 4.3.2 going down"}])", Verdict::broken_off, 421,
         "broke off at the message: 421 4.3.2 going down"},
    };
    for (const auto& [faults, verdict, code, error] : rows) {
        const auto delivery = deliver_under(faults);
        EXPECT_EQ(delivery.verdict, verdict) << faults << delivery.error;
        EXPECT_EQ(delivery.code, code) << faults;
        EXPECT_THAT(delivery.error, HasSubstr(error)) << faults;
        EXPECT_THAT(delivery.reply, ::testing::StartsWith(std::to_string(code))) << faults;
    }
    EXPECT_EQ(server_.messages().size(), 0U);
    EXPECT_EQ(deliver_under("[]").verdict, Verdict::accepted);
}

TEST_F(SmtpDelivery, blames_the_mail_for_a_forbidden_sender_only_if_its_job_chose_it) {
    server_.script(R"([{"at": "mail", "reply": "553 5.7.1 not yours"}])");
    auto mail = mail_to("ada@example.com");
    EXPECT_EQ(deliver(mail).verdict, Verdict::unserved);
    mail.from.address = "ceo@example.com";
    EXPECT_EQ(deliver(mail).verdict, Verdict::rejected);
}

// What is lost on the way

TEST_F(SmtpDelivery, knows_that_nothing_was_delivered_when_the_connection_drops_before_the_message) {
    for (const auto& [faults, verdict] : {std::pair{R"([{"at": "connect", "drop": true}])", Verdict::unserved},
                                          std::pair{R"([{"at": "mail", "drop": true}])", Verdict::unserved},
                                          std::pair{R"([{"at": "rcpt", "drop": true}])", Verdict::broken_off}}) {
        const auto delivery = deliver_under(faults);
        EXPECT_EQ(delivery.verdict, verdict) << faults << delivery.error;
    }
    EXPECT_EQ(server_.messages().size(), 0U);
}

TEST_F(SmtpDelivery, does_not_know_what_became_of_a_message_whose_reply_was_dropped) {
    const auto delivery = deliver_under(R"([{"at": "data", "drop": true}])");
    EXPECT_EQ(delivery.verdict, Verdict::ambiguous) << delivery.error;
    EXPECT_EQ(delivery.code, 354);
    EXPECT_THAT(delivery.error, HasSubstr("may have been delivered"));
    EXPECT_EQ(server_.messages().size(), 1U);
}

TEST_F(SmtpDelivery, does_not_know_what_became_of_a_message_whose_reply_is_late) {
    settings_.connect_timeout = settings_.total_timeout = settings_.reply_timeout = 1500ms;
    const auto delivery = deliver_under(R"([{"at": "data", "hold": true}])");
    EXPECT_EQ(delivery.verdict, Verdict::ambiguous) << delivery.error;
    EXPECT_EQ(delivery.code, 354);
    EXPECT_EQ(server_.messages().size(), 1U);
}

TEST_F(SmtpDelivery, waits_longer_for_the_word_on_a_message_than_for_all_before_it) {
    settings_.connect_timeout = settings_.total_timeout = 1s;
    settings_.reply_timeout = 10s;
    const auto delivery = deliver_under(R"([{"at": "data", "delay": 3000}])");
    EXPECT_EQ(delivery.verdict, Verdict::accepted) << delivery.error;
    EXPECT_EQ(server_.messages().size(), 1U);
}

TEST_F(SmtpDelivery, blames_a_server_that_does_not_answer_before_the_recipient) {
    settings_.connect_timeout = settings_.total_timeout = 700ms;
    const auto began = Clock::now();
    for (const auto* faults : {R"([{"at": "connect", "hold": true}])", R"([{"at": "mail", "hold": true}])"}) {
        const auto delivery = deliver_under(faults);
        EXPECT_EQ(delivery.verdict, Verdict::unserved) << faults;
        EXPECT_THAT(delivery.error, HasSubstr("delivers nothing for us")) << faults;
    }
    EXPECT_LT(Clock::now() - began, 10s) << "a reply to a message may take longer, and no other";
}

TEST_F(SmtpDelivery, does_not_know_whose_fault_a_silence_at_the_recipient_is) {
    settings_.connect_timeout = settings_.total_timeout = 700ms;
    const auto delivery = deliver_under(R"([{"at": "rcpt", "hold": true}])");
    EXPECT_EQ(delivery.verdict, Verdict::broken_off);
    EXPECT_THAT(delivery.error, HasSubstr("broke off at the recipient: its answers take longer"));
}

TEST_F(SmtpDelivery, blames_a_server_that_is_not_there) {
    {
        const SmtpServer gone{SmtpSecurity::none};
        settings_ = gone.settings();
    }
    const auto delivery = deliver(mail_to("ada@example.com"));
    EXPECT_EQ(delivery.verdict, Verdict::unserved);
    EXPECT_EQ(delivery.code, 0);
    EXPECT_EQ(delivery.reply, "");
    EXPECT_THAT(delivery.error, HasSubstr("Failed to connect"));
    settings_.host = "no-such-host.invalid";
    EXPECT_EQ(deliver(mail_to("ada@example.com")).verdict, Verdict::unserved);
}

// Stopping

TEST_F(SmtpDelivery, stops_within_a_second_while_nothing_is_sent) {
    server_.script(R"([{"at": "rcpt", "hold": true, "times": 1}])");
    Smtp smtp{settings_};
    Delivery delivery;
    std::jthread sender{
        [&](const std::stop_token& stop) { delivery = smtp.deliver(mail_to("ada@example.com"), stop); }};
    await([&] { return server_.has_played_script(); });
    sender.request_stop();
    const auto began = Clock::now();
    sender.join();
    EXPECT_EQ(delivery.verdict, Verdict::stopped) << delivery.error;
    EXPECT_LT(Clock::now() - began, 3s);
}

TEST_F(SmtpDelivery, gives_a_message_already_sent_a_moment_for_its_reply) {
    server_.script(R"([{"at": "data", "hold": true}])");
    Smtp smtp{settings_};
    Delivery delivery;
    std::jthread sender{
        [&](const std::stop_token& stop) { delivery = smtp.deliver(mail_to("ada@example.com"), stop); }};
    await([&] { return !server_.messages().empty(); });
    sender.request_stop();
    const auto began = Clock::now();
    sender.join();
    EXPECT_EQ(delivery.verdict, Verdict::ambiguous) << delivery.error;
    EXPECT_GT(Clock::now() - began, 2s);
    EXPECT_LT(Clock::now() - began, 8s);
}

// Connections

TEST_F(SmtpDelivery, keeps_its_connection_from_mail_to_mail) {
    Smtp smtp{settings_};
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(smtp.deliver(mail_to("ada@example.com"), {}).verdict, Verdict::accepted);
    std::set<std::string> connections;
    for (const auto& message : server_.messages())
        connections.insert(message.connection);
    EXPECT_EQ(connections.size(), 1U);
}

TEST_F(SmtpDelivery, opens_another_connection_when_the_kept_one_serves_no_more) {
    for (const auto* faults :
         {R"([{"at": "mail", "drop": true, "times": 1}])",
          R"([{"at": "mail", "reply": "421 4.7.0 enough mails on this connection", "times": 1}])"}) {
        server_.script("[]");
        Smtp smtp{settings_};
        EXPECT_EQ(smtp.deliver(mail_to("ada@example.com"), {}).verdict, Verdict::accepted);
        server_.script(faults);
        const auto second = smtp.deliver(mail_to("ada@example.com"), {});
        EXPECT_EQ(second.verdict, Verdict::accepted) << faults << second.error;
        const auto messages = server_.messages();
        EXPECT_NE(messages.at(0).connection, messages.at(1).connection);
        server_.forget_messages();
    }
}

TEST_F(SmtpDelivery, never_repeats_a_message_that_may_have_been_delivered) {
    Smtp smtp{settings_};
    EXPECT_EQ(smtp.deliver(mail_to("ada@example.com"), {}).verdict, Verdict::accepted);
    server_.script(R"([{"at": "data", "drop": true, "times": 1}])");
    EXPECT_EQ(smtp.deliver(mail_to("ada@example.com"), {}).verdict, Verdict::ambiguous);
    EXPECT_EQ(server_.messages().size(), 2U);
}

TEST_F(SmtpDelivery, serves_many_threads_over_one_connection_each) {
    constexpr int threads = 8;
    constexpr int mails = 25;
    {
        Smtp smtp{settings_};
        std::atomic<int> accepted = 0;
        std::vector<std::jthread> senders;
        senders.reserve(threads);
        for (int t = 0; t < threads; ++t) {
            senders.emplace_back([&, t] {
                for (int i = 0; i < mails; ++i) {
                    const auto recipient = "r" + std::to_string(t * mails + i) + "@example.com";
                    accepted += smtp.deliver(mail_to(recipient), {}).verdict == Verdict::accepted ? 1 : 0;
                }
            });
        }
        senders.clear();
        EXPECT_EQ(accepted, threads * mails);
    }
    std::set<std::string> connections;
    std::set<std::string> recipients;
    for (const auto& message : server_.messages()) {
        connections.insert(message.connection);
        recipients.insert(message.to.at(0).address);
    }
    EXPECT_EQ(server_.messages().size(), threads * mails);
    EXPECT_EQ(recipients.size(), threads * mails);
    EXPECT_LE(connections.size(), threads);
}

TEST_F(SmtpDelivery, does_not_wait_for_a_hanging_server_when_it_closes) {
    auto smtp = std::make_unique<Smtp>(settings_);
    EXPECT_EQ(smtp->deliver(mail_to("ada@example.com"), {}).verdict, Verdict::accepted);
    server_.suspend();
    const auto began = Clock::now();
    smtp.reset();
    EXPECT_LT(Clock::now() - began, 5s);
}

// Encryption and authentication

TEST_F(SmtpOverStarttls, encrypts_and_authenticates) {
    EXPECT_EQ(deliver(mail_to("ada@example.com")).verdict, Verdict::accepted);
    const auto received = server_.messages().at(0);
    EXPECT_TRUE(received.secure);
    EXPECT_EQ(received.user, SmtpServer::username);
}

TEST_F(SmtpOverTls, encrypts_from_the_first_byte) {
    EXPECT_EQ(deliver(mail_to("ada@example.com")).verdict, Verdict::accepted);
    EXPECT_TRUE(server_.messages().at(0).secure);
}

TEST_F(SmtpOverTls, refuses_a_certificate_of_nobody) {
    settings_.ca_file.clear();
    const auto delivery = deliver(mail_to("ada@example.com"));
    EXPECT_EQ(delivery.verdict, Verdict::unserved);
    EXPECT_THAT(delivery.error, HasSubstr("smtp.ca_file"));
}

TEST_F(SmtpOverStarttls, refuses_a_certificate_of_nobody) {
    settings_.ca_file.clear();
    const auto delivery = deliver(mail_to("ada@example.com"));
    EXPECT_EQ(delivery.verdict, Verdict::unserved);
    EXPECT_EQ(delivery.code, 220);
    EXPECT_THAT(delivery.error, HasSubstr("smtp.ca_file"));
}

TEST_F(SmtpOverStarttls, sends_nothing_to_a_server_that_offers_none) {
    const auto delivery = deliver_under(R"([{"at": "starttls"}])");
    EXPECT_EQ(delivery.verdict, Verdict::unserved) << delivery.error;
    EXPECT_EQ(delivery.code, 250);
    EXPECT_THAT(delivery.error, HasSubstr("smtp.security"));
    EXPECT_EQ(server_.messages().size(), 0U);
}

TEST_F(SmtpOverStarttls, blames_the_configuration_for_a_refused_login) {
    for (const auto* faults :
         {R"([{"at": "auth", "reply": "535 5.7.8 no"}])", R"([{"at": "auth", "reply": "454 4.7.0 not now"}])"}) {
        const auto delivery = deliver_under(faults);
        EXPECT_EQ(delivery.verdict, Verdict::unserved) << faults << delivery.error;
        EXPECT_THAT(delivery.error, HasSubstr("smtp.username")) << faults;
    }
    server_.script("[]");
    settings_.password = "wrong";
    const auto delivery = deliver(mail_to("ada@example.com"));
    EXPECT_EQ(delivery.verdict, Verdict::unserved);
    EXPECT_EQ(delivery.code, 535);
    EXPECT_EQ(delivery.reply, "535 5.7.8 authentication credentials invalid");
}

TEST_F(SmtpOverStarttls, shows_no_secret_even_if_the_server_does) {
    const std::string canary{SmtpServer::password};
    for (const auto* at : {"auth", "mail", "rcpt", "data"}) {
        server_.script(R"([{"at": ")" + std::string(at) + R"(", "reply": "535 you said )" + canary +
                       R"(, in base64 Y2FuYXJ5LTRmNmM3Yg=="}])");
        const auto delivery = deliver(mail_to("ada@example.com"));
        EXPECT_EQ(delivery.reply, "535 you said ***, in base64 ***") << at;
        EXPECT_THAT(delivery.error, Not(HasSubstr(canary))) << at;
    }
}

}  // namespace
}  // namespace millrace::adapters
