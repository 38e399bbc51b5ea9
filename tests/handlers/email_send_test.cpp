// How `email.send` settles: by what a real server said, without burning attempts for what is not the mail's fault.

#include "handlers/email/send.hpp"
#include "support/smtp_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace millrace::handlers::email {
namespace {

using adapters::Smtp;
using adapters::SmtpSecurity;
using core::Completed;
using core::Discarded;
using core::Failed;
using core::Outcome;
using core::Snoozed;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SmtpServer;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto sound_payload = R"({"to": {"address": "ada@example.com", "name": "Ada"}, "subject": "Grüße",
                                   "text": "Good morning.", "html": "<p>Good morning.</p>"})";

class EmailSend : public ::testing::Test {
protected:
    EmailSend() : server_{SmtpSecurity::none, SmtpServer::Authentication::required}, smtp_{server_.settings()} {
        log_.observe([this](ops::Level, std::string_view message, std::span<const ops::Field> fields) {
            std::string line{message};
            for (const auto& field : fields) {
                if (const auto* text = std::get_if<std::string_view>(&field.value)) line.append(" ").append(*text);
            }
            const std::lock_guard lock{lines_mutex_};
            lines_.push_back(line);
        });
        restart({});
    }

    void restart(ProviderPause::Limits pause) {
        handler_ = std::make_unique<Send>(smtp_, Send::Settings{"7311", pause}, log_);
    }

    Outcome run(std::string payload = sound_payload, std::int64_t id = 42, const std::stop_token& stop = {}) {
        core::Job job;
        job.id = {id};
        job.kind = "email.send";
        job.payload = std::move(payload);
        return handler_->run(job, stop);
    }

    // Tries until the outcome is no longer a snooze.
    Outcome run_until_served() {
        for (const auto deadline = Clock::now() + 10s; Clock::now() < deadline; std::this_thread::yield()) {
            auto outcome = run();
            if (!std::holds_alternative<Snoozed>(outcome)) return outcome;
        }
        return Failed{"still snoozed after 10 s", {}};
    }

    std::vector<std::string> lines() {
        const std::lock_guard lock{lines_mutex_};
        return lines_;
    }

    SmtpServer server_;
    Smtp smtp_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> sink_{std::fopen("/dev/null", "w"), &std::fclose};
    ops::Log log_{ops::Log::Format::json, sink_.get()};
    std::mutex lines_mutex_;
    std::vector<std::string> lines_;
    std::unique_ptr<Send> handler_;
};

template <class Kind>
Kind as(const Outcome& outcome) {
    if (const auto* kind = std::get_if<Kind>(&outcome)) return *kind;
    ADD_FAILURE() << "another outcome, index " << outcome.index();
    return {};
}

TEST_F(EmailSend, completes_with_the_message_id_and_the_reply) {
    const auto completed = as<Completed>(run());
    EXPECT_EQ(completed.result, R"({"message_id":"<millrace.42.7311@example.com>","reply":"250 2.0.0 accepted as 1"})");
    EXPECT_TRUE(completed.successors.empty());

    const auto received = server_.messages().at(0);
    EXPECT_EQ(received.message_id, "<millrace.42.7311@example.com>");
    EXPECT_EQ(received.subject, "Grüße");
    EXPECT_EQ(received.to.at(0).name, "Ada");
    EXPECT_EQ(received.from.at(0).address, "queue@example.com");
    EXPECT_EQ(received.text, "Good morning.");
    EXPECT_EQ(received.html, "<p>Good morning.</p>");
}

TEST_F(EmailSend, sends_from_whom_the_job_says) {
    as<Completed>(run(R"({"to": "ada@example.com", "subject": "s", "text": "t", "from": "ci@example.com",
                          "reply_to": {"address": "list@example.com", "name": "List"}})"));
    const auto received = server_.messages().at(0);
    EXPECT_EQ(received.from.at(0).address, "ci@example.com");
    EXPECT_EQ(received.envelope_from, "ci@example.com");
    EXPECT_EQ(received.reply_to.at(0).name, "List");
}

TEST_F(EmailSend, gives_a_message_that_arrives_twice_the_same_id) {
    server_.script(R"([{"at": "data", "drop": true, "times": 1}])");
    const auto failed = as<Failed>(run());
    EXPECT_THAT(failed.error, HasSubstr("may have been delivered"));
    EXPECT_EQ(failed.retry_in, std::nullopt);  // the queue's backoff
    as<Completed>(run());
    const auto messages = server_.messages();
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_EQ(messages[0].message_id, messages[1].message_id);
    as<Completed>(run(sound_payload, 43));
    EXPECT_NE(server_.messages().at(2).message_id, messages[0].message_id);
}

TEST_F(EmailSend, discards_what_the_server_refuses_for_good) {
    server_.script(R"([{"at": "rcpt", "reply": "550 5.1.1 no such user"}])");
    EXPECT_EQ(as<Discarded>(run()).error, "the mail server refused the recipient: 550 5.1.1 no such user");
    EXPECT_TRUE(lines().empty());
}

TEST_F(EmailSend, fails_what_the_server_puts_off) {
    server_.script(R"([{"at": "rcpt", "reply": "451 4.7.1 greylisted"}])");
    EXPECT_EQ(as<Failed>(run()).error, "the mail server put off the recipient: 451 4.7.1 greylisted");
    as<Failed>(run());  // nothing pauses: the next mail is tried as well
}

TEST_F(EmailSend, counts_an_attempt_that_the_server_breaks_off_and_goes_on_with_other_mails) {
    for (const auto* faults : {R"([{"at": "rcpt", "drop": true}])", R"([{"at": "rcpt", "reply": "421 4.3.2 bye"}])"}) {
        server_.script(faults);
        EXPECT_THAT(as<Failed>(run()).error, HasSubstr("broke off at the recipient")) << faults;
    }
    server_.script("[]");
    as<Completed>(run(sound_payload, 43));
    EXPECT_TRUE(lines().empty());
}

TEST_F(EmailSend, discards_a_bad_payload_without_asking_the_server) {
    server_.suspend();
    EXPECT_EQ(as<Discarded>(run(R"({"to": "ada@example.com", "subject": "s", "body": "t"})")).error.substr(0, 30),
              R"(payload key "body": not known;)");
    EXPECT_THAT(
        as<Discarded>(run(R"({"to": "ada@example.com", "subject": "s\r\nBcc: eve@example.com", "text": "t"})")).error,
        HasSubstr(R"(payload key "subject": holds the control character 0x0d)"));
}

TEST_F(EmailSend, snoozes_while_the_server_serves_nobody) {
    for (const auto* faults :
         {R"([{"at": "connect", "reply": "421 4.3.2 closed"}])", R"([{"at": "auth", "reply": "535 5.7.8 no"}])",
          R"([{"at": "auth", "reply": "454 4.7.0 not now"}])", R"([{"at": "mail", "drop": true}])",
          R"([{"at": "mail", "reply": "550 5.7.1 blocked"}])"}) {
        restart({});
        server_.script(faults);
        const auto first = as<Snoozed>(run()).delay;
        EXPECT_GE(first, 4s) << faults;
        EXPECT_LE(first, 7s) << faults;
    }
    EXPECT_EQ(server_.messages().size(), 0U);
}

TEST_F(EmailSend, pauses_all_mails_and_does_not_knock_again_meanwhile) {
    server_.script(R"([{"at": "connect", "reply": "421 4.3.2 closed", "times": 1}])");
    as<Snoozed>(run());
    as<Snoozed>(run(sound_payload, 43));  // the server would have taken it
    EXPECT_EQ(server_.messages().size(), 0U);
    ASSERT_EQ(lines().size(), 1U);
    EXPECT_THAT(lines()[0], HasSubstr("mail deliveries pause"));
    EXPECT_THAT(lines()[0], HasSubstr("421 4.3.2 closed"));
}

TEST_F(EmailSend, delivers_again_when_the_server_does) {
    restart({1ms, 2ms});
    server_.script(R"([{"at": "connect", "reply": "421 4.3.2 closed", "times": 3}])");
    as<Completed>(run_until_served());
    EXPECT_EQ(server_.messages().size(), 1U);
    EXPECT_EQ(lines().back(), "mail server serves again");
    as<Completed>(run());
}

TEST_F(EmailSend, still_discards_bad_payloads_during_a_pause) {
    server_.script(R"([{"at": "connect", "reply": "421 4.3.2 closed"}])");
    as<Snoozed>(run());
    as<Discarded>(run("{}"));
}

TEST_F(EmailSend, fails_an_attempt_that_was_asked_to_stop) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(as<Failed>(run(sound_payload, 42, stop.get_token())).error, "stopped before the message was sent");
    EXPECT_EQ(server_.messages().size(), 0U);
}

TEST_F(EmailSend, shows_the_password_nowhere) {
    const std::string canary{SmtpServer::password};
    std::string seen = as<Completed>(run()).result;
    for (const auto* at : {"rcpt", "data", "mail"}) {
        restart({});
        server_.script(R"([{"at": ")" + std::string(at) + R"(", "reply": "550 5.7.1 )" + canary +
                       R"( Y2FuYXJ5LTRmNmM3Yg=="}])");
        const auto outcome = run();
        if (const auto* discarded = std::get_if<Discarded>(&outcome)) seen += discarded->error;
    }
    for (const auto& line : lines())
        seen += line;
    EXPECT_THAT(seen, HasSubstr("550 5.7.1 ***"));
    EXPECT_THAT(seen, HasSubstr("mail deliveries pause"));
    EXPECT_THAT(seen, Not(HasSubstr(canary)));
    EXPECT_THAT(seen, Not(HasSubstr("Y2FuYXJ5LTRmNmM3Yg")));
}

TEST_F(EmailSend, needs_an_installation_that_can_stand_in_a_message_id) {
    for (const auto* installation : {"", "a b", "x@y", "x>"}) {
        EXPECT_THROW((Send{smtp_, {installation, {}}, log_}), std::invalid_argument) << installation;
    }
}

}  // namespace
}  // namespace millrace::handlers::email
