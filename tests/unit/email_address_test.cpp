// Which mails may be sent at all. Refusals come before any connection, and quote nothing of the mail.

#include "adapters/mail.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::adapters {
namespace {

Mail sound_mail() {
    Mail mail;
    mail.from = {"queue@example.com", "Millrace"};
    mail.to = {"ada@example.com", "Ada Lovelace"};
    mail.subject = "Hello";
    mail.text = "Good morning.";
    mail.message_id = "<millrace.1.x@example.com>";
    return mail;
}

std::string problem_of(const Mail& mail) {
    const auto problem = mail_problem(mail);
    return problem ? problem->field + ": " + problem->reason : "";
}

TEST(EmailAddress, takes_what_rfc_5321_writes_without_quotes) {
    for (const auto* address :
         {"a@b", "ada@example.com", "ada.lovelace+queue@mail.example.co.uk", "o'brien@example.com",
          "!#$%&'*+/=?^_`{|}~-@example.com", "x@xn--bcher-kva.example", "1@2.example"}) {
        EXPECT_EQ(address_problem(address), std::nullopt) << address;
    }
}

struct Refusal {
    std::string address;
    std::string reason;  // the start of it
};

TEST(EmailAddress, refuses_everything_else_with_a_reason) {
    const std::string label(64, 'x');
    const Refusal refusals[] = {
        {"", "has no @"},
        {"ada", "has no @"},
        {"@example.com", "has nothing before the @"},
        {"ada@", "has nothing after the @"},
        {".ada@example.com", "has a dot in the wrong place"},
        {"ada.@example.com", "has a dot in the wrong place"},
        {"a..da@example.com", "has a dot in the wrong place"},
        {"ada lovelace@example.com", "holds the byte 0x20 before the @"},
        {"Ada <ada@example.com", "holds the byte 0x20 before the @"},
        {"<ada@example.com", "holds the byte 0x3c before the @"},
        {"\"ada\"@example.com", "holds the byte 0x22 before the @"},
        {"ada@one@example.com", "holds the byte 0x40 before the @"},
        {"ad\xc3\xa4@example.com", "holds the byte 0xc3 before the @"},
        {"ada@b\xc3\xbc"
         "cher.example",
         "holds the byte 0xc3 in its domain"},
        {"ada@example.com>", "holds the byte 0x3e in its domain"},
        {"ada@example.com>\r\nRCPT TO:<eve@example.com", "holds the byte 0x40 before the @"},
        {"ada@example.com\r\n", "holds the byte 0x0d in its domain"},
        {"ada\r\n@example.com", "holds the byte 0x0d before the @"},
        {std::string("ada\0@example.com", 16), "holds the byte 0x00 before the @"},
        {"=?UTF-8?B?YWRh?=@example.com", "holds =?..?..? before the @"},
        {"ada@[127.0.0.1]", "holds the byte 0x5b in its domain"},
        {"ada@example..com", "has an empty label"},
        {"ada@example.com.", "has an empty label"},
        {"ada@-example.com", "has a domain label that begins"},
        {"ada@example-.com", "has a domain label that begins"},
        {"ada@" + label + ".com", "has a domain label of more than 63"},
        {label + "x@example.com", "has 65 bytes before the @"},
    };
    for (const auto& [address, reason] : refusals) {
        const auto problem = address_problem(address).value_or("accepted");
        EXPECT_EQ(problem.substr(0, reason.size()), reason) << address;
    }
}

TEST(EmailAddress, is_limited_to_64_bytes_before_the_at_and_254_in_all) {
    const std::string local(64, 'a');
    std::string domain;
    while (domain.size() < 189)
        domain += domain.size() % 2 == 0 ? "d" : ".";  // 64 + 1 + 189 = 254
    EXPECT_EQ(address_problem(local + "@" + domain), std::nullopt);
    EXPECT_NE(address_problem(local + "@" + domain + ".d"), std::nullopt);
    EXPECT_NE(address_problem(local + "a@d"), std::nullopt);
}

TEST(EmailMail, is_sound_with_a_recipient_a_sender_and_a_body) {
    EXPECT_EQ(problem_of(sound_mail()), "");
    auto html_only = sound_mail();
    html_only.text.clear();
    html_only.html = "<p>Good morning.</p>";
    EXPECT_EQ(problem_of(html_only), "");
}

TEST(EmailMail, refuses_line_breaks_in_every_field_that_becomes_a_header) {
    const std::string injection = "x\r\nBcc: eve@example.com";
    for (const std::string& hostile : {injection, std::string("x\ny"), std::string("x\ry"), std::string("x\0y", 3)}) {
        for (auto* field :
             {+[](Mail& m) { return &m.subject; }, +[](Mail& m) { return &m.from.name; },
              +[](Mail& m) { return &m.from.address; }, +[](Mail& m) { return &m.to.name; },
              +[](Mail& m) { return &m.to.address; }, +[](Mail& m) { return &m.reply_to.emplace().address; },
              +[](Mail& m) {
                  return &m.reply_to.emplace(Mailbox{"ada@example.com", ""}).name;
              },
              +[](Mail& m) { return &m.message_id; }}) {
            auto mail = sound_mail();
            *field(mail) = hostile;
            EXPECT_NE(problem_of(mail), "");
        }
    }
}

TEST(EmailMail, names_the_field_and_the_remedy_and_quotes_nothing) {
    auto mail = sound_mail();
    mail.subject = "secret\nsubject";
    EXPECT_EQ(problem_of(mail), "subject: holds the control character 0x0a; remove line breaks and control characters");
}

TEST(EmailMail, has_limits_on_every_part) {
    const auto with = [](auto change) {
        auto mail = sound_mail();
        change(mail);
        return problem_of(mail);
    };
    EXPECT_EQ(with([](Mail& m) { m.subject.assign(998, 'x'); }), "");
    EXPECT_EQ(with([](Mail& m) { m.subject.assign(999, 'x'); }), "subject: has 999 bytes; at most 998 are allowed");
    EXPECT_EQ(with([](Mail& m) { m.to.name.assign(256, 'x'); }), "");
    EXPECT_EQ(with([](Mail& m) { m.to.name.assign(257, 'x'); }), "to: the name has 257 bytes; at most 256 are allowed");
    EXPECT_EQ(with([](Mail& m) { m.text.assign(max_body, 'x'); }), "");
    EXPECT_EQ(with([](Mail& m) { m.text.assign(max_body, 'x'), m.html = "y"; }),
              "text: and html have 1048577 bytes together; at most 1048576 are allowed");
    EXPECT_EQ(with([](Mail& m) { m.text.clear(); }), "text: is empty and so is html; give at least one of them");
    EXPECT_EQ(with([](Mail& m) { m.html = std::string("a\0b", 3); }), "html: holds a zero byte; remove it");
}

TEST(EmailMailbox, is_read_with_and_without_a_name) {
    const auto read = [](std::string_view text) {
        const auto mailbox = parse_mailbox(text);
        return mailbox.name + "|" + mailbox.address;
    };
    EXPECT_EQ(read("ada@example.com"), "|ada@example.com");
    EXPECT_EQ(read("  ada@example.com "), "|ada@example.com");
    EXPECT_EQ(read("<ada@example.com>"), "|ada@example.com");
    EXPECT_EQ(read("Ada Lovelace <ada@example.com>"), "Ada Lovelace|ada@example.com");
    EXPECT_EQ(read("\"Lovelace, Ada\" <ada@example.com>"), "Lovelace, Ada|ada@example.com");
    EXPECT_EQ(read(""), "|");
    EXPECT_NE(address_problem(parse_mailbox("Ada ada@example.com").address), std::nullopt);
}

}  // namespace
}  // namespace millrace::adapters
