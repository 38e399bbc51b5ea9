// What a dialogue with a mail server means, row by row; the same rows are met on a real server in
// tests/handlers/smtp_test.cpp.

#include "adapters/smtp_dialogue.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::adapters {
namespace {

using Phase = SmtpDialogue::Phase;
using Verdict = Delivery::Verdict;

const std::vector<std::string> no_secrets;

TEST(SmtpDialogue, follows_a_mail_to_its_end) {
    SmtpDialogue dialogue{no_secrets};
    EXPECT_EQ(dialogue.phase(), Phase::opening);
    dialogue.heard("220 ready\r\n");
    dialogue.sent("EHLO worker\r\n");
    EXPECT_EQ(dialogue.phase(), Phase::opening);
    dialogue.sent("MAIL FROM:<a@b>\r\n");
    EXPECT_EQ(dialogue.phase(), Phase::sender);
    dialogue.sent("RCPT TO:<c@d>\r\n");
    EXPECT_EQ(dialogue.phase(), Phase::recipient);
    dialogue.sent("DATA\r\n");
    EXPECT_EQ(dialogue.phase(), Phase::data);
    dialogue.heard("354 go ahead\r\n");
    EXPECT_EQ(dialogue.phase(), Phase::message);
    dialogue.heard("250 2.0.0 queued\r\n");
    EXPECT_EQ(dialogue.reply(), "250 2.0.0 queued");
}

TEST(SmtpDialogue, takes_no_line_of_an_auth_exchange_for_a_command) {
    SmtpDialogue dialogue{no_secrets};
    dialogue.sent("AUTH LOGIN\r\n");
    dialogue.sent("DATA\r\n");  // base64 of three bytes
    EXPECT_EQ(dialogue.phase(), Phase::opening);
}

TEST(SmtpDialogue, joins_the_lines_of_a_reply_and_forgets_the_one_before) {
    SmtpDialogue dialogue{no_secrets};
    dialogue.heard("250 ok\r\n");
    dialogue.heard("550-5.7.1 We do not\r\n");
    dialogue.heard("550-5.7.1 know you;\r\n");
    dialogue.heard("550 5.7.1 go away\r\n");
    EXPECT_EQ(dialogue.reply(), "550-5.7.1 We do not 5.7.1 know you; 5.7.1 go away");
    dialogue.heard("250 ok\r\n");
    EXPECT_EQ(dialogue.reply(), "250 ok");
}

TEST(SmtpDialogue, does_not_take_the_farewell_for_a_verdict) {
    SmtpDialogue dialogue{no_secrets};
    dialogue.sent("MAIL FROM:<a@b>\r\n");
    dialogue.heard("550 5.7.1 go away\r\n");
    dialogue.sent("QUIT\r\n");
    dialogue.heard("221 bye\r\n");
    EXPECT_EQ(dialogue.reply(), "550 5.7.1 go away");
}

TEST(SmtpDialogue, bounds_and_cleans_what_the_server_says) {
    SmtpDialogue dialogue{no_secrets};
    dialogue.heard("550-\x1b[31m\xc3\xa4\r\n");
    for (int i = 0; i < 10'000; ++i)
        dialogue.heard("550-more and more\r\n");
    EXPECT_LE(dialogue.reply().size(), SmtpDialogue::max_reply);
    EXPECT_EQ(dialogue.reply().substr(0, 11), "550-?[31m??");
}

TEST(SmtpDialogue, strikes_out_secrets_that_a_server_echoes) {
    const std::vector<std::string> secrets = {"aHVudGVyMg==", "hunter2"};
    SmtpDialogue dialogue{secrets};
    dialogue.heard("334 UGFzc3dvcmQ6\r\n");
    EXPECT_EQ(dialogue.reply(), "");
    dialogue.heard("535 hunter2 (aHVudGVyMg==) is wrong, hunter2\r\n");
    EXPECT_EQ(dialogue.reply(), "535 *** (***) is wrong, ***");
}

TEST(SmtpVerdict, is_about_the_mail_only_when_the_reply_is) {
    struct Row {
        Phase phase;
        int code;
        Verdict expected;
    };
    const Row rows[] = {
        // nothing was sent yet: whatever happens is not about the mail
        {Phase::opening, 0, Verdict::unserved},    // refused, bad certificate
        {Phase::opening, 220, Verdict::unserved},  // lost after the banner
        {Phase::opening, 421, Verdict::unserved},  // banner
        {Phase::opening, 554, Verdict::unserved},  // banner
        {Phase::opening, 454, Verdict::unserved},  // AUTH, for now
        {Phase::opening, 535, Verdict::unserved},  // AUTH
        // MAIL
        {Phase::sender, 250, Verdict::unserved},  // lost
        {Phase::sender, 421, Verdict::unserved},
        {Phase::sender, 450, Verdict::deferred},
        {Phase::sender, 530, Verdict::unserved},
        {Phase::sender, 550, Verdict::unserved},
        {Phase::sender, 552, Verdict::rejected},  // too large
        {Phase::sender, 553, Verdict::unserved},
        // RCPT
        {Phase::recipient, 250, Verdict::broken_off},  // lost
        {Phase::recipient, 421, Verdict::broken_off},
        {Phase::recipient, 450, Verdict::deferred},
        {Phase::recipient, 451, Verdict::deferred},
        {Phase::recipient, 530, Verdict::unserved},
        {Phase::recipient, 535, Verdict::unserved},
        {Phase::recipient, 550, Verdict::rejected},
        // DATA
        {Phase::data, 250, Verdict::broken_off},  // lost before 354: the message was not sent
        {Phase::data, 421, Verdict::broken_off},
        {Phase::data, 451, Verdict::deferred},
        {Phase::data, 554, Verdict::rejected},
        // the message
        {Phase::message, 354, Verdict::ambiguous},   // lost or timed out
        {Phase::message, 421, Verdict::broken_off},  // going away instead of taking it
        {Phase::message, 452, Verdict::deferred},
        {Phase::message, 554, Verdict::rejected},
        {Phase::message, 250, Verdict::accepted},
    };
    for (const auto& [phase, code, expected] : rows) {
        EXPECT_EQ(verdict(phase, code, Sender::configured), expected)
            << "phase " << static_cast<int>(phase) << ", code " << code;
    }
}

TEST(SmtpVerdict, blames_a_mail_for_a_forbidden_sender_that_its_job_chose) {
    EXPECT_EQ(verdict(Phase::sender, 553, Sender::chosen), Verdict::rejected);
    EXPECT_EQ(verdict(Phase::sender, 550, Sender::chosen), Verdict::unserved);
}

}  // namespace
}  // namespace millrace::adapters
