// What `email.send` takes and what it refuses. Each refusal names the key, the reason and the remedy.

#include "handlers/email/payload.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::handlers::email {
namespace {

const adapters::Mailbox default_sender{"queue@example.com", "Millrace"};

adapters::Mail mail_of(std::string_view payload) {
    auto read = read_mail(payload, default_sender);
    if (const auto* problem = std::get_if<PayloadProblem>(&read)) ADD_FAILURE() << problem->text;
    auto* mail = std::get_if<adapters::Mail>(&read);
    return mail != nullptr ? *mail : adapters::Mail{};
}

std::string problem_of(std::string_view payload) {
    const auto read = read_mail(payload, default_sender);
    const auto* problem = std::get_if<PayloadProblem>(&read);
    return problem != nullptr ? problem->text : "";
}

TEST(EmailPayload, needs_a_recipient_a_subject_and_a_body) {
    const auto mail = mail_of(R"({"to": "ada@example.com", "subject": "Hi", "text": "there"})");
    EXPECT_EQ(mail.to.address, "ada@example.com");
    EXPECT_EQ(mail.subject, "Hi");
    EXPECT_EQ(mail.text, "there");
    EXPECT_EQ(mail.html, "");
    EXPECT_EQ(mail.from.address, "queue@example.com");
    EXPECT_EQ(mail.from.name, "Millrace");
    EXPECT_FALSE(mail.reply_to);
}

TEST(EmailPayload, may_name_everybody_and_bring_html) {
    const auto mail = mail_of(R"({"to": {"address": "ada@example.com", "name": "Ada"}, "subject": "", "html": "<p>",
                                  "from": {"address": "ci@example.com"}, "reply_to": "list@example.com"})");
    EXPECT_EQ(mail.to.name, "Ada");
    EXPECT_EQ(mail.html, "<p>");
    EXPECT_EQ(mail.from.address, "ci@example.com");
    EXPECT_EQ(mail.from.name, "");
    EXPECT_EQ(mail.reply_to.value().address, "list@example.com");
}

TEST(EmailPayload, may_carry_files_and_an_unsubscribe_address) {
    const auto mail = mail_of(R"({"to": "ada@example.com", "subject": "s", "text": "t",
        "unsubscribe_url": "https://example.com/u",
        "attachments": [{"name": "a.txt", "type": "text/plain", "content": "Zm9v\nYmFy"},
                        {"name": "b", "type": "application/x", "content": ""}]})");
    EXPECT_EQ(mail.unsubscribe_url, "https://example.com/u");
    ASSERT_EQ(mail.attachments.size(), 2U);
    EXPECT_EQ(mail.attachments[0].name, "a.txt");
    EXPECT_EQ(mail.attachments[0].type, "text/plain");
    EXPECT_EQ(mail.attachments[0].content, "foobar");
    EXPECT_EQ(mail.attachments[1].content, "");
}

TEST(EmailPayload, is_refused_by_the_key_that_is_wrong) {
    struct Row {
        const char* payload;
        const char* problem;
    };
    const Row rows[] = {
        {"{", R"(the payload is not JSON; write {"to": …, "subject": …, "text": …})"},
        {"[]", "the payload must be a JSON object; it is of type array"},
        {R"({"subject": "s", "text": "t"})", R"(payload key "to": is missing; give the recipient as "name@domain")"},
        {R"({"to": "a@b", "text": "t"})", R"(payload key "subject": is missing; give one, empty if it must be)"},
        {R"({"to": "a@b", "subject": "s"})",
         R"(payload key "text": is empty and so is html; give at least one of them)"},
        {R"({"to": "a@b", "subject": "s", "text": "", "html": ""})",
         R"(payload key "text": is empty and so is html; give at least one of them)"},
        {R"({"to": "a@b", "subject": 7, "text": "t"})",
         R"(payload key "subject": must be a string; it is of type number)"},
        {R"({"to": "a@b", "subject": "s", "text": null})",
         R"(payload key "text": must be a string; it is of type null)"},
        {R"({"to": ["a@b"], "subject": "s", "text": "t"})",
         R"(payload key "to": must be "name@domain" or {"address": …, "name": …}; it is of type array)"},
        {R"({"to": {"name": "A"}, "subject": "s", "text": "t"})",
         R"(payload key "to.address": is missing; give one like "name@domain")"},
        {R"({"to": {"address": "a@b", "nmae": "A"}, "subject": "s", "text": "t"})",
         R"(payload key "to.nmae": not known; did you mean "to.name"?)"},
        {R"({"to": {"address": "a@b", "name": 1}, "subject": "s", "text": "t"})",
         R"(payload key "to.name": must be a string; it is of type number)"},
        {R"({"to": "a@b", "subjekt": "s", "text": "t"})",
         R"(payload key "subjekt": not known; did you mean "subject"?)"},
        {R"({"to": "a@b", "subject": "s", "text": "t", "attachment": 1})",
         R"(payload key "attachment": not known; did you mean "attachments"?)"},
        {R"({"to": "a@b", "subject": "s", "text": "t", "priority": 1})",
         R"(payload key "priority": not known; known are to, subject, text, html, from, reply_to, unsubscribe_url, attachments)"},
        {R"({"to": "a@b", "subject": "s", "text": "t", "unsubscribe_url": "http://a"})",
         R"(payload key "unsubscribe_url": must be the https:// address of a page)"},
        {R"({"to": "a@b", "subject": "s", "text": "t", "unsubscribe_url": ""})",
         R"(payload key "unsubscribe_url": is empty; leave it out, or give an https:// address)"},
        {R"({"to": "a@b", "subject": "s", "text": "t", "attachments": {}})",
         R"(payload key "attachments": must be an array of {"name", "type", "content"}; it is of type object)"},
        {R"({"to": "a@b", "subject": "s", "text": "t", "attachments": ["x"]})",
         R"(payload key "attachments[0]": must be {"name", "type", "content"}; it is of type string)"},
        {R"({"to": "a@b", "subject": "s", "text": "t", "attachments": [{"name": "a", "type": "a/b"}]})",
         R"(payload key "attachments[0].content": is missing)"},
        {R"({"to": "a@b", "subject": "s", "text": "t", "attachments": [{"nmae": "a"}]})",
         R"(payload key "attachments[0].nmae": not known; did you mean "attachments[0].name"?)"},
        {R"({"to": "a@b", "subject": "s", "text": "t",
            "attachments": [{"name": "a", "type": "a/b", "content": "Zg"}]})",
         R"(payload key "attachments[0].content": is not base64; write it as encode(…, 'base64') does)"},
        {R"({"to": "a@b", "subject": "s", "text": "t",
            "attachments": [{"name": "a\r\nBcc: x", "type": "a/b", "content": ""}]})",
         R"(payload key "attachments[0]": has a name with the byte 0x0d; leave out directories and control characters)"},
        {R"({"to": "a@b", "subject": "s", "text": "t", "attachments": [1,2,3,4,5,6,7,8,9,10,11]})",
         R"(payload key "attachments": are 11; at most 10 are allowed, put more into one archive)"},
        {R"({"to": "nobody", "subject": "s", "text": "t"})",
         R"(payload key "to": the address has no @; write name@domain)"},
        {R"({"to": "a@b", "from": "@b", "subject": "s", "text": "t"})",
         R"(payload key "from": the address has nothing before the @; write name@domain)"},
        {R"({"to": "a@b", "subject": "s\r\nBcc: eve@example.com", "text": "t"})",
         R"(payload key "subject": holds the control character 0x0d; remove line breaks and control characters)"},
        {R"({"to": {"address": "a@b", "name": "A\nB"}, "subject": "s", "text": "t"})",
         R"(payload key "to": the name holds the control character 0x0a; remove line breaks and control characters)"},
    };
    for (const auto& [payload, problem] : rows)
        EXPECT_EQ(problem_of(payload), problem) << payload;
}

TEST(EmailPayload, shows_unknown_keys_bounded_and_escaped) {
    const auto problem =
        problem_of(R"({"to": "a@b", "subject": "s", "text": "t", "x\u0000\n)" + std::string(500, 'y') + R"(": 1})");
    EXPECT_EQ(problem.find('\n'), std::string::npos);
    EXPECT_LT(problem.size(), 200U);
}

}  // namespace
}  // namespace millrace::handlers::email
